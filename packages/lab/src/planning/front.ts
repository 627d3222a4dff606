import { join } from 'node:path';
import {
  type LatencyTable,
  type LedgerEntry,
  type Looking,
  type Model,
  type Runner,
  type Scores,
  type SiteCurve,
  type TensorTree,
  UserError,
  allocateUnits,
  budgetOfSites,
  compactModel,
  countedCosts,
  keepLast,
  latencyTable,
  leastShare,
  lookingAt,
  observedBatches,
  predictedMs,
  siteCurves,
  timedCosts,
} from '@winnow/core';
import { z } from 'zod';
import { scoreOn } from '../training/data';
import type { Workload } from '../workload/workload';
import { type Building, built, builtSchema } from './built-model';
import { expectedScore } from './expectation';
import { weighedCurves } from './kind-weights';
import type { PlanOptions } from './plan-options';
import { type BuiltPoint, MOST_OFF, type PlannedModel, type PlannedPoint } from './planned-model';

/** A model that is opened, with its data, and what is asked about it. */
export interface Planning {
  readonly model: Model;
  /** Lent. */
  readonly params: TensorTree;
  readonly workload: Workload;
  readonly options: PlanOptions;
  /** Budgets at which models are built, from the largest on. */
  readonly keeps: readonly number[];
  /** The parts that are done already, of a plan that goes on. */
  readonly store: Runner['store'];
  note(line: string): void;
  readonly signal?: AbortSignal | undefined;
}

/** Shares of the front, from the whole on. */
const SHARES = Array.from({ length: 20 }, (_, place) => (20 - place) / 20);

type Unexpected = Omit<PlannedPoint, 'expected'>;

/** @throws {UserError} when a budget cannot be reached, or latencies are asked for and cannot be predicted. */
export async function frontOf(planning: Planning): Promise<Omit<PlannedModel, 'model'>> {
  const { model, params, workload, options, keeps, note } = planning;
  const { budgetUnit, multiple, split, batchSize } = options;
  const { sites } = model;
  const asked = { multiple, what: budgetUnit };
  const counted = budgetUnit === 'latency' ? undefined : countedCosts(model, budgetUnit);
  // Before any work.
  if (counted !== undefined) for (const keep of keeps) budgetOfSites(sites, counted, { ...asked, keep });
  const ledger: LedgerEntry[] = [];
  const task = workload.taskOf(model);
  const looking = lookingOf(planning, ledger);
  const scores = await looking.once('dense', scoresSchema, () =>
    scoreOn(workload[split], batchSize)(task, params),
  );
  note(`dense: ${task.metric} ${(scores[task.metric] ?? Number.NaN).toFixed(2)} on ${split}`);
  const building = await buildingOf(planning);
  const curves = await measuredCurves(planning, building, looking, scores);
  const table = options.latency || budgetUnit === 'latency' ? await tableOf(planning) : undefined;
  const costs = counted ?? timedCosts(needed(table));
  const pointAt = (keep: number): Unexpected => {
    const { kept, error } = allocateUnits(sites, {
      curves: new Map([...curves].map(([id, { best }]) => [id, best])),
      multiple,
      costOf: costs.costOf,
      budget: budgetOfSites(sites, costs, { ...asked, keep }),
    });
    const { parameters, macs } = compactModel(model, keepLast(sites, curves, kept)).account;
    const latencyMs = table === undefined ? null : predictedMs(table, kept);
    return { keep, units: kept, parameters, macs, latencyMs, error };
  };
  const points = keeps.map(pointAt);
  const builtPoints = await builtOf(planning, building, { curves, points, once: looking.once });
  const off = offBy(builtPoints, table?.denseMs ?? Number.NaN);
  const isReliable = off !== null && off <= MOST_OFF;
  if (off !== null && !isReliable) {
    const text = `predicted latencies are up to ${(100 * off).toFixed(0)} % off those of the built models`;
    if (budgetUnit === 'latency')
      throw new UserError(`${text}: on a machine that is as busy as this one, budget in macs instead`);
    note(`${text}: they are left out`);
  }
  const known = [
    { error: 0, score: scores[task.metric] ?? Number.NaN },
    ...builtPoints.map(({ error, scores: own }) => ({ error, score: own[task.metric] ?? Number.NaN })),
  ];
  const withLatency = <Point extends Unexpected>(point: Point): Point =>
    isReliable ? point : { ...point, latencyMs: null };
  return {
    data: workload.facts.name,
    split,
    examples: workload[split].size,
    calibration: Math.min(options.calibration, workload.train.size),
    budgetUnit,
    metric: task.metric,
    dense: {
      parameters: model.account.parameters,
      macs: model.account.macs,
      latencyMs: table?.denseMs ?? null,
      scores,
    },
    built: builtPoints,
    front: SHARES.filter((keep) => keep >= leastShare(sites, costs, multiple)).map((keep): PlannedPoint => {
      const point = pointAt(keep);
      const expected = expectedScore(known, point.error, workload[split].size) ?? null;
      return { ...withLatency(point), expected };
    }),
    latencyOff: off,
    ledger,
  };
}

const scoresSchema: z.ZodType<Scores> = z.record(z.string(), z.number());

/** Looks at the model, and keeps what is done. */
function lookingOf(
  { model, params, workload, options, store, note, signal }: Planning,
  ledger: LedgerEntry[],
): Looking {
  const { batchSize, seed } = options;
  const runner: Runner = {
    store,
    checkpointEvery: Number.POSITIVE_INFINITY,
    ...(signal === undefined ? {} : { signal }),
    report: (event) => {
      if (event.kind === 'phase') note(`${event.phase}: ${event.steps} steps`);
    },
  };
  const lookedAt = { model, params, task: workload.taskOf(model), splits: workload, batchSize, seed };
  return lookingAt(runner, lookedAt, ledger);
}

async function tableOf({ model, params, workload, note, signal }: Planning): Promise<LatencyTable> {
  note('timing layers by their width');
  return latencyTable({
    model,
    params,
    batch: await workload.test.batch([0]),
    taskOf: (own) => workload.taskOf(own),
    ...(signal === undefined ? {} : { signal }),
  });
}

function needed(table: LatencyTable | undefined): LatencyTable {
  if (table === undefined) throw new RangeError('latencies are not measured');
  return table;
}

async function buildingOf({ model, params, workload, options, signal }: Planning): Promise<Building> {
  const { calibration, batchSize, seed, split, reconstruct: kind } = options;
  const source = observedBatches(workload.train, { examples: calibration, batchSize, seed, augment: false });
  const batches = await Promise.all(Array.from({ length: source.count }, (_, index) => source.at(index)));
  return { workload, model, params, kind, batches, split, batchSize, signal };
}

/** Curves in measured losses, where that is asked and the task has a loss. */
async function measuredCurves(
  { model, options: { weigh, multiple, calibration, measure }, note }: Planning,
  building: Building,
  looking: Looking,
  { loss: dense }: Scores,
): Promise<ReadonlyMap<string, SiteCurve>> {
  const curves = await siteCurves(looking, calibration, measure);
  if (!weigh) return curves;
  if (dense === undefined) {
    note('no loss is among the scores of this task: kinds of layers are not weighed');
    return curves;
  }
  return weighedCurves({
    model,
    curves,
    multiple,
    addedLoss: async (decision, kind) => {
      const loss = await looking.once(`half-${kind.replaceAll(' ', '-')}`, z.number(), async () => {
        const { scores } = await built(building, decision, { isTimed: false });
        return scores['loss'] ?? Number.NaN;
      });
      const added = loss - dense;
      note(`half of ${kind}: loss ${added < 0 ? '' : '+'}${added.toFixed(3)}`);
      return added;
    },
  });
}

async function builtOf(
  { model, workload, options: { split, latency, out }, note }: Planning,
  building: Building,
  {
    curves,
    points,
    once,
  }: {
    readonly curves: ReadonlyMap<string, SiteCurve>;
    readonly points: readonly Unexpected[];
    readonly once: Looking['once'];
  },
): Promise<BuiltPoint[]> {
  const { metric } = workload.taskOf(model);
  const found: BuiltPoint[] = [];
  for (const point of points) {
    const decision = keepLast(model.sites, curves, point.units);
    const name = `kept-${Number((100 * point.keep).toFixed(2))}`;
    const folder = out === undefined ? undefined : join(out, name);
    const isTimed = latency || point.latencyMs !== null;
    const { scores, latency: measured } = await once(name, builtSchema, () =>
      built(building, decision, { isTimed, folder }),
    );
    note(
      `${(100 * point.keep).toFixed(0)} %: ${metric} ${(scores[metric] ?? Number.NaN).toFixed(2)} on ${split}`,
    );
    found.push({ ...point, scores, measuredMs: measured?.ms ?? null, denseMs: measured?.denseMs ?? null });
  }
  return found;
}

/** The largest share by which a prediction misses, each beside the dense model of its time; null where nothing was timed. */
function offBy(points: readonly BuiltPoint[], dense: number): number | null {
  const shares = points.flatMap(({ latencyMs, measuredMs, denseMs }) =>
    latencyMs === null || measuredMs === null || denseMs === null
      ? []
      : [Math.abs((latencyMs / dense) * (denseMs / measuredMs) - 1)],
  );
  return shares.length === 0 ? null : Math.max(...shares);
}
