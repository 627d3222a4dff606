import { type Failure, type Measurement, type Table, denseRowsOf, tablesOf } from '@winnow/comparison';
import { type LedgerEntry, UserError, disposeTree } from '@winnow/core';
import { FormatError } from '@winnow/formats';
import type { FoundFigures, KeptCell, KeptMap, LedgerRow, PageData } from '@winnow/report';
import yaml from 'yaml';
import { type KeptSite, inspectionOf } from '../inspection/inspection';
import { openModel } from '../model-source/open-model';
import { readFindings } from '../run-folder/findings';
import type { ComparisonRecord } from './comparison-folder';
import type { ComparisonIdentity } from './comparison-identity';
import { identityRows } from './environment';
import type { OpenedComparison } from './open-comparison';

/**
 * Everything that the page of a comparison shows. An engine must be running: models are opened to see what they kept.
 * Whatever cannot be read of a run is among the failures.
 */
export async function comparisonPage({
  folder,
  record,
  plan,
  outcomes,
  remarks,
}: OpenedComparison): Promise<PageData> {
  const { name, confidence, seeds, budgetUnit } = plan.config;
  const tables = tablesOf(outcomes, confidence);
  // Those that the tables are about: of several learning rates the chosen one.
  const shown = outcomes.measurements.filter((run) =>
    tables.some(
      (table) =>
        table.workload === run.workload &&
        table.track === run.track &&
        table.budget === run.budget &&
        table.rows.some(
          ({ label, learningRate }) => label === run.label && learningRate === run.learningRate,
        ),
    ),
  );
  const contenders = groupedRuns(shown);
  const kept = await ofEach(contenders, (runs) => keptMap(runs, (id) => folder.runFolder(id)));
  const figures = await ofEach(contenders, (runs) => figuresOf(runs, (id) => folder.runFolder(id)));
  return {
    title: `Comparison: ${name}`,
    summary: summaryOf(tables, seeds.length),
    remarks,
    command: record.command,
    config: yaml.stringify(record.given),
    environment: environmentOf(record),
    confidence,
    budgetUnit,
    dense: denseRowsOf(outcomes),
    tables,
    failures: [...outcomes.failures, ...kept.failures, ...figures.failures],
    ledger: contenders.map(ledgerRow),
    kept: kept.found,
    figures: figures.found,
  };
}

/** One line for somebody who knows nothing of it yet. */
function summaryOf(tables: readonly Table[], seeds: number): string {
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const labels = new Set(tables.flatMap(({ rows }) => rows.map(({ label }) => label))).size;
  const sizes = new Set(tables.map(({ workload, budget }) => JSON.stringify([workload, budget]))).size;
  const repeated = seeds === 1 ? 'each tried once' : `each repeated ${seeds} times`;
  return `${count(labels, 'way', 'ways')} to a smaller model, at ${count(sizes, 'size', 'sizes')}, ${repeated}`;
}

export type Runs = readonly [Measurement, ...Measurement[]];

function groupedRuns(measurements: readonly Measurement[]): Runs[] {
  const groups = new Map<string, [Measurement, ...Measurement[]]>();
  for (const run of measurements) {
    const key = JSON.stringify([run.workload, run.track, run.budget, run.label]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()];
}

/** One after the other: a model at a time in memory. A run that cannot be read is named, and the others are shown. */
async function ofEach<Found>(
  contenders: readonly Runs[],
  find: (runs: Runs) => Promise<readonly Found[]>,
): Promise<{ readonly found: readonly Found[]; readonly failures: readonly Failure[] }> {
  const found: Found[] = [];
  const failures: Failure[] = [];
  for (const runs of contenders) {
    try {
      found.push(...(await find(runs)));
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof UserError)) throw error;
      const [{ job, workload, seed, label, budget, track }] = runs;
      failures.push({ job, workload, seed, what: `${label}, ${budget}, ${track}`, message: error.message });
    }
  }
  return { found, failures };
}

const placeOf = ([{ workload, track, budget, label }]: Runs) => ({ workload, track, budget, label });

export function environmentOf({
  engine,
  hardware,
  node,
  winnow,
  commit,
  identity,
}: ComparisonRecord): [string, string][] {
  return [
    ['Engine', engine],
    ['Hardware', hardware],
    ['Node', node],
    ['Winnow', winnow],
    ['Commit', commit ?? 'not a clone'],
    ...identityRows(identity === undefined ? undefined : { data: dataOf(identity), code: identity.code }),
  ];
}

/** The datasets of all workloads; a workload has one. */
const dataOf = ({ workloads }: ComparisonIdentity): Record<string, Record<string, string>> =>
  Object.fromEntries(
    Object.entries(workloads).flatMap(([name, { data }]) =>
      Object.values(data).map((parts) => [name, parts]),
    ),
  );

/** Means over the seeds; they all have the same phases. */
export function ledgerRow(runs: Runs): LedgerRow {
  const [{ ledger }] = runs;
  const phases = ledger.map(({ phase }): LedgerEntry => {
    const entries = runs.flatMap(({ ledger }) => ledger.filter((entry) => entry.phase === phase));
    const mean = (value: (entry: LedgerEntry) => number) =>
      entries.reduce((sum, entry) => sum + value(entry), 0) / entries.length;
    const peaks = entries.flatMap(({ peakMemoryBytes }) => peakMemoryBytes ?? []);
    return {
      phase,
      steps: mean(({ steps }) => steps),
      examples: mean(({ examples }) => examples),
      trainingMacs: mean(({ trainingMacs }) => trainingMacs),
      wallMs: mean(({ wallMs }) => wallMs),
      ...(peaks.length === 0 ? {} : { peakMemoryBytes: Math.max(...peaks) }),
    };
  });
  return { ...placeOf(runs), seeds: runs.length, phases };
}

/** Maps the shares that were kept; nothing where nothing was removed. */
export async function keptMap(runs: Runs, folderOf: (job: string) => string): Promise<KeptMap[]> {
  const places: KeptPlace[] = [];
  for (const { job } of runs) places.push(...(await keptIn(folderOf(job))));
  const cells = new Map<string, { sum: KeptCell; seeds: number }>();
  for (const { component, layer, kept, borrowed, units } of places) {
    const key = JSON.stringify([component, layer]);
    const { sum, seeds } = cells.get(key) ?? { sum: { component, layer, kept: 0, borrowed: 0 }, seeds: 0 };
    cells.set(key, {
      sum: { ...sum, kept: sum.kept + kept / units, borrowed: sum.borrowed + borrowed / units },
      seeds: seeds + 1,
    });
  }
  const means = [...cells.values()].map(({ sum, seeds }) => ({
    ...sum,
    kept: sum.kept / seeds,
    borrowed: sum.borrowed / seeds,
  }));
  if (means.every(({ kept }) => kept === 1)) return [];
  return [{ ...placeOf(runs), seeds: runs.length, cells: means }];
}

type KeptPlace = Pick<KeptSite, 'component' | 'layer' | 'kept' | 'borrowed' | 'units'>;

/** Units of every site; where single weights are masked, those of every matrix that stands in a layer. */
async function keptIn(runFolder: string): Promise<readonly KeptPlace[]> {
  const { model, params, decision } = await openModel(runFolder);
  disposeTree(params);
  const { kept: ofSites, masks } = inspectionOf(model, decision);
  const ofMatrices = masks.flatMap(({ tower, part, layer, kept, size }): KeptPlace[] =>
    layer === undefined ? [] : [{ component: `${tower} ${part}`, layer, kept, borrowed: 0, units: size }],
  );
  return [...ofSites, ...ofMatrices];
}

/** Reads the figures of the first seed: figures show one run. */
export async function figuresOf(runs: Runs, folderOf: (job: string) => string): Promise<FoundFigures[]> {
  const [{ workload, track, budget, label, seed, job }] = runs;
  const findings = await readFindings(folderOf(job));
  if (findings === undefined) return [];
  return [{ title: `${label}, ${workload}, ${budget}, ${track}, seed ${seed}`, findings }];
}
