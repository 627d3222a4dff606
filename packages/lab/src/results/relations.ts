import type { DenseRow, Outcomes, Table } from '@winnow/comparison';
import type { LedgerEntry } from '@winnow/core';

/** A value that a table of a database can hold. */
export type Cell = string | number | boolean | null;
export type Line = Readonly<Record<string, Cell>>;

/** A table of a database: its columns, in order, with their types, and its lines. */
export interface Relation {
  readonly name: string;
  readonly columns: Readonly<Record<string, 'VARCHAR' | 'DOUBLE' | 'BIGINT' | 'BOOLEAN'>>;
  readonly lines: readonly Line[];
}

const place = {
  workload: 'VARCHAR',
  track: 'VARCHAR',
  budget: 'VARCHAR',
  label: 'VARCHAR',
} as const;
const size = { parameters: 'BIGINT', macs: 'DOUBLE', bytes: 'BIGINT' } as const;

/** Everything that a comparison found, as tables that can be asked questions. Runs are named by their job. */
export function relationsOf(
  { dense, measurements, failures }: Outcomes,
  tables: readonly Table[],
  denseRows: readonly DenseRow[],
): Relation[] {
  const models = [...dense, ...measurements];
  return [
    {
      name: 'runs',
      columns: {
        job: 'VARCHAR',
        ...place,
        method: 'VARCHAR',
        is_control: 'BOOLEAN',
        seed: 'BIGINT',
        learning_rate: 'DOUBLE',
        metric: 'VARCHAR',
        score: 'DOUBLE',
        score_before_retraining: 'DOUBLE',
        score_after_one_epoch: 'DOUBLE',
        validation_score: 'DOUBLE',
        ...size,
        training_macs: 'DOUBLE',
        wall_ms: 'DOUBLE',
        peak_memory_bytes: 'DOUBLE',
      },
      lines: measurements.map((run) => ({
        job: run.job,
        workload: run.workload,
        track: run.track,
        budget: run.budget,
        label: run.label,
        method: run.method,
        is_control: run.isControl,
        seed: run.seed,
        learning_rate: run.learningRate,
        metric: run.metric,
        score: run.retrained[run.metric] ?? null,
        score_before_retraining: run.cut[run.metric] ?? null,
        score_after_one_epoch: run.afterOneEpoch?.[run.metric] ?? null,
        validation_score: run.validation?.[run.metric] ?? null,
        parameters: run.parameters,
        macs: run.macs,
        bytes: run.bytes,
        training_macs: run.trainingMacs,
        wall_ms: run.wallMs,
        peak_memory_bytes: run.peakMemoryBytes ?? null,
      })),
    },
    {
      name: 'dense',
      columns: {
        job: 'VARCHAR',
        workload: 'VARCHAR',
        seed: 'BIGINT',
        metric: 'VARCHAR',
        score: 'DOUBLE',
        ...size,
        training_macs: 'DOUBLE',
      },
      lines: dense.map((model) => ({
        job: model.job,
        workload: model.workload,
        seed: model.seed,
        metric: model.metric,
        score: model.scores[model.metric] ?? null,
        parameters: model.parameters,
        macs: model.macs,
        bytes: model.bytes,
        training_macs: model.trainingMacs,
      })),
    },
    {
      name: 'scores',
      columns: { job: 'VARCHAR', stage: 'VARCHAR', score: 'VARCHAR', value: 'DOUBLE' },
      lines: distinct([
        ...dense.flatMap(({ job, scores }) => scoreLines(job, { dense: scores })),
        ...measurements.flatMap(({ job, masked, cut, afterOneEpoch, retrained, validation }) =>
          scoreLines(job, {
            masked,
            cut,
            ...(afterOneEpoch === undefined ? {} : { after_one_epoch: afterOneEpoch }),
            retrained,
            ...(validation === undefined ? {} : { validation }),
          }),
        ),
      ]),
    },
    {
      name: 'ledger',
      columns: {
        job: 'VARCHAR',
        phase: 'VARCHAR',
        steps: 'BIGINT',
        examples: 'BIGINT',
        training_macs: 'DOUBLE',
        wall_ms: 'DOUBLE',
        peak_memory_bytes: 'DOUBLE',
      },
      lines: distinct(models.flatMap(({ job, ledger }) => ledger.map((entry) => ledgerLine(job, entry)))),
    },
    {
      name: 'latencies',
      columns: { job: 'VARCHAR', batch_size: 'BIGINT', p50_ms: 'DOUBLE', p95_ms: 'DOUBLE' },
      lines: distinct(
        models.flatMap(({ job, latencies }) =>
          latencies.map(({ batchSize, p50Ms, p95Ms }) => ({
            job,
            batch_size: batchSize,
            p50_ms: p50Ms,
            p95_ms: p95Ms,
          })),
        ),
      ),
    },
    summaryRelation(tables, denseRows),
    {
      name: 'differences',
      columns: {
        workload: 'VARCHAR',
        track: 'VARCHAR',
        budget: 'VARCHAR',
        first: 'VARCHAR',
        second: 'VARCHAR',
        seeds: 'BIGINT',
        mean: 'DOUBLE',
        low: 'DOUBLE',
        high: 'DOUBLE',
        verdict: 'BIGINT',
      },
      lines: tables.flatMap(({ workload, track, budget, comparisons }) =>
        comparisons.map(({ first, second, difference: { seeds, mean, interval }, verdict }) => ({
          workload,
          track,
          budget,
          first,
          second,
          seeds,
          mean,
          low: interval?.[0] ?? null,
          high: interval?.[1] ?? null,
          verdict,
        })),
      ),
    },
    {
      name: 'failures',
      columns: { job: 'VARCHAR', workload: 'VARCHAR', seed: 'BIGINT', what: 'VARCHAR', message: 'VARCHAR' },
      lines: failures.map(({ job, workload, seed, what, message }) => ({
        job: job ?? null,
        workload,
        seed,
        what,
        message,
      })),
    },
  ];
}

function summaryRelation(tables: readonly Table[], denseRows: readonly DenseRow[]): Relation {
  return {
    name: 'summary',
    columns: {
      ...place,
      is_control: 'BOOLEAN',
      metric: 'VARCHAR',
      seeds: 'BIGINT',
      mean: 'DOUBLE',
      deviation: 'DOUBLE',
      before_retraining: 'DOUBLE',
      after_one_epoch: 'DOUBLE',
      rank: 'BIGINT',
      rank_last: 'BIGINT',
      parameters: 'DOUBLE',
      macs: 'DOUBLE',
      bytes: 'DOUBLE',
      training_macs: 'DOUBLE',
      latency_1_p50_ms: 'DOUBLE',
      latency_1_p95_ms: 'DOUBLE',
      latency_32_p50_ms: 'DOUBLE',
      latency_32_p95_ms: 'DOUBLE',
    },
    lines: [
      ...denseRows.map((row) => ({
        workload: row.workload,
        track: null,
        budget: null,
        label: 'dense',
        is_control: true,
        ...spreadLine(row, row.metric),
        before_retraining: null,
        after_one_epoch: null,
        rank: null,
        rank_last: null,
      })),
      ...tables.flatMap(({ workload, track, budget, metric, rows }) =>
        rows.map((row) => ({
          workload,
          track,
          budget,
          label: row.label,
          is_control: row.isControl,
          ...spreadLine(row, metric),
          before_retraining: row.cut.mean,
          after_one_epoch: row.afterOneEpoch?.mean ?? null,
          rank: row.places?.[0] ?? null,
          rank_last: row.places?.[1] ?? null,
        })),
      ),
    ],
  };
}

function spreadLine(row: DenseRow | Table['rows'][number], metric: string): Line {
  const latency = (batchSize: number) => row.latencies.find((each) => each.batchSize === batchSize);
  return {
    metric,
    seeds: row.score.seeds,
    mean: row.score.mean,
    deviation: row.score.deviation,
    parameters: row.parameters.mean,
    macs: row.macs.mean,
    bytes: row.bytes.mean,
    training_macs: row.trainingMacs.mean,
    latency_1_p50_ms: latency(1)?.p50Ms.mean ?? null,
    latency_1_p95_ms: latency(1)?.p95Ms.mean ?? null,
    latency_32_p50_ms: latency(32)?.p50Ms.mean ?? null,
    latency_32_p95_ms: latency(32)?.p95Ms.mean ?? null,
  };
}

const scoreLines = (
  job: string,
  stages: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Line[] =>
  Object.entries(stages).flatMap(([stage, scores]) =>
    Object.entries(scores).map(([score, value]) => ({ job, stage, score, value })),
  );

const ledgerLine = (job: string, entry: LedgerEntry): Line => ({
  job,
  phase: entry.phase,
  steps: entry.steps,
  examples: entry.examples,
  training_macs: entry.trainingMacs,
  wall_ms: entry.wallMs,
  peak_memory_bytes: entry.peakMemoryBytes ?? null,
});

/** A job that stands at several points of a comparison has its lines once. */
const distinct = (lines: readonly Line[]): Line[] => [
  ...new Map(lines.map((line) => [JSON.stringify(line), line])).values(),
];
