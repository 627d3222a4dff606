import { compact } from '../compact/compact';
import type { Decision } from '../decision/decision';
import { InterruptedError } from '../error/user-error';
import type { Model } from '../families/model';
import type { Site } from '../sites/site';
import { quantileOf, timesInTurn } from '../task/evaluate';
import type { Task } from '../task/task';
import { type TensorTree, lendTree } from '../tree/tree';
import { widthsOf } from '../budget/widths';

/** The time that a site of a kind takes with so many units, beside the whole model. */
export interface LatencyRow {
  readonly units: number;
  /** Milliseconds that one site saves, of all its units. */
  readonly savedMs: number;
}

/** Sites of the same shape, which take the same time. */
export interface LatencyKind {
  readonly structure: string;
  /** Identifiers. */
  readonly sites: readonly string[];
  /** By ascending units, up to all of them. */
  readonly rows: readonly LatencyRow[];
}

/** Predicts a model's latency from that of its layers. */
export interface LatencyTable {
  readonly denseMs: number;
  readonly kinds: readonly LatencyKind[];
}

export interface LatencyQuestion {
  readonly model: Model;
  /** Lent. */
  readonly params: TensorTree;
  /** The batch that is timed; its size is the batch size of the predictions. */
  readonly batch: unknown;
  taskOf(model: Model): Pick<Task, 'predict'>;
  readonly signal?: AbortSignal;
}

/** Widths of a site that are timed; those between them lie on the line. */
const WIDTHS = 8;
const STEP = 8;
/** Each width is timed in some rounds, in turn with the dense model: what else the machine does meets both alike. */
const ROUNDS = 3;
const RUNS_PER_ROUND = 10;
const WARMUP = 2;

/**
 * Times the model with all sites of one shape at a width, one shape and width after the other, in the whole model as the engine
 * runs it: fused sub-layers have no products by themselves that could be timed. A site saves its share of what that saves.
 * Medians of 30 each, as shares of the median of the dense model's, which runs in turn with it.
 * @throws {InterruptedError} between two widths, when the signal is aborted.
 */
export async function latencyTable(question: LatencyQuestion): Promise<LatencyTable> {
  const kinds = kindsOf(question.model.sites);
  const cells = kinds.flatMap((sites, kind) =>
    timedWidths(sites[0]?.units ?? 1).map((units) => ({
      kind,
      units,
      dense: new Array<number>(),
      cut: new Array<number>(),
    })),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { kind, units, dense, cut } of cells) {
      if (question.signal?.aborted === true) throw new InterruptedError();
      const { first, second } = await cutTimes(question, firstUnits(kinds[kind] ?? [], units));
      dense.push(...first);
      cut.push(...second);
    }
  }
  const denseMs = median(cells.flatMap(({ dense }) => dense));
  return {
    denseMs,
    kinds: kinds.map((sites, kind): LatencyKind => {
      const own = cells.filter((cell) => cell.kind === kind);
      const saved = own.map(({ dense, cut }) => (denseMs * (1 - median(cut) / median(dense))) / sites.length);
      return {
        structure: sites[0]?.structure ?? '',
        sites: sites.map(({ id }) => id),
        rows: [
          ...falling(saved).map((savedMs, place) => ({ units: own[place]?.units ?? 0, savedMs })),
          { units: sites[0]?.units ?? 0, savedMs: 0 },
        ],
      };
    }),
  };
}

/** The share of the dense model's latency that a decision leaves: medians of 30 each, in turn. */
export async function timedShare(question: LatencyQuestion, decision: Decision): Promise<number> {
  const all = { dense: new Array<number>(), cut: new Array<number>() };
  for (let round = 0; round < ROUNDS; round++) {
    if (question.signal?.aborted === true) throw new InterruptedError();
    const { first, second } = await cutTimes(question, decision);
    all.dense.push(...first);
    all.cut.push(...second);
  }
  return median(all.cut) / median(all.dense);
}

const median = (values: readonly number[]): number => quantileOf(values, 0.5);

/** A model's predicted latency, in milliseconds, by the units that its sites keep; sites that are not named keep all. */
export const predictedMs = (table: LatencyTable, kept: Readonly<Record<string, number>>): number =>
  table.denseMs -
  table.kinds.reduce(
    (sum, { sites, rows }) =>
      sum + sites.reduce((own, id) => own + savedWith(rows, kept[id] ?? rows.at(-1)?.units ?? 0), 0),
    0,
  );

/** Milliseconds that a site costs with so many units, beyond what it costs with the fewest that were timed. */
export function siteMs({ kinds }: LatencyTable, { id }: Pick<Site, 'id'>, units: number): number {
  const kind = kinds.find(({ sites }) => sites.includes(id));
  if (kind === undefined) throw new RangeError(`the latency of ${id} was not measured`);
  return (kind.rows[0]?.savedMs ?? 0) - savedWith(kind.rows, units);
}

/** On the line between the widths that were timed; below the least as there. */
function savedWith(rows: readonly LatencyRow[], units: number): number {
  const above = rows.findIndex((row) => row.units >= units);
  const [low, high] = [rows[above - 1], rows[above]];
  if (high === undefined) return 0;
  if (low === undefined) return high.savedMs;
  const share = (units - low.units) / (high.units - low.units);
  return low.savedMs + share * (high.savedMs - low.savedMs);
}

/**
 * Values that never rise and are not negative, nearest to these by squares: a wider layer saves no more (pool adjacent violators,
 * Ayer et al., 1955).
 */
function falling(values: readonly number[]): number[] {
  const pools: { sum: number; count: number }[] = [];
  for (const value of values) {
    pools.push({ sum: value, count: 1 });
    for (;;) {
      const [before, last] = [pools.at(-2), pools.at(-1)];
      if (before === undefined || last === undefined) break;
      if (before.sum / before.count >= last.sum / last.count) break;
      pools.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count });
    }
  }
  return pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => Math.max(0, sum / count)));
}

/** Some widths from the least on, short of all units; multiples of eight where there are enough. */
function timedWidths(units: number): number[] {
  const all = widthsOf(units, STEP).filter((width) => width < units);
  if (all.length === 0) return units > 1 ? [1] : [];
  const count = Math.min(WIDTHS, all.length);
  return [
    ...new Set(
      Array.from({ length: count }, (_, place) => all[Math.floor((place * all.length) / count)] ?? 1),
    ),
  ];
}

function kindsOf(sites: readonly Site[]): Site[][] {
  const kinds = new Map<string, Site[]>();
  for (const site of sites) {
    const { structure, tower, units, unitCost } = site;
    const key = JSON.stringify([structure, tower, units, unitCost]);
    kinds.set(key, [...(kinds.get(key) ?? []), site]);
  }
  return [...kinds.values()];
}

const firstUnits = (sites: readonly Site[], count: number): Decision => ({
  version: 1,
  sites: Object.fromEntries(
    sites.map(({ id, units }) => [
      id,
      { kind: 'keep', kept: Array.from({ length: count }, (_, unit) => unit), units },
    ]),
  ),
});

function cutTimes({ model, params, batch, taskOf }: LatencyQuestion, decision: Decision) {
  const cut = compact(model, params, decision);
  return lendTree(cut.params, (own) =>
    timesInTurn({ task: taskOf(model), params }, { task: taskOf(cut.model), params: own }, batch, {
      warmup: WARMUP,
      runs: RUNS_PER_ROUND,
    }),
  );
}
