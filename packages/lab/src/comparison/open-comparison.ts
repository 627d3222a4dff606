import {
  type ComparisonPlan,
  type Failure,
  type Job,
  type Outcomes,
  jobOf,
  planComparison,
} from '@winnow/comparison';
import { UserError } from '@winnow/core';
import { FormatError } from '@winnow/formats';
import { z } from 'zod';
import { type ComparisonGround, catalogueOn } from './catalogue';
import {
  type ComparisonFolder,
  type ComparisonRecord,
  comparisonFolder,
  isDone,
  readComparisonRecord,
  weightsDigest,
} from './comparison-folder';
import { remarksOnComparison } from './comparison-identity';
import { measuredOn } from './latency';
import { outcomesIn } from './outcomes';

const config = z.record(z.string(), z.unknown());

/**
 * The plan of what was asked for, with the engine that computes it.
 * @param ground What its runs work on, where that is known.
 */
export function planWith(
  { given, run }: Pick<ComparisonRecord, 'given' | 'run'>,
  ground: ComparisonGround | undefined,
): ComparisonPlan {
  const parsed = config.safeParse(given);
  if (!parsed.success) throw new UserError('the comparison: expected options by name');
  return planComparison({ ...parsed.data, run }, catalogueOn(ground));
}

/** The plan of a comparison as its record has it, with the data and code that it was last asked for with. */
export const planOf = (record: ComparisonRecord): ComparisonPlan => {
  const { identity, paths = {} } = record;
  return planWith(record, identity === undefined ? undefined : { identity, paths });
};

/** A comparison as its folder tells it, whether it has finished or not. */
export interface OpenedComparison {
  readonly folder: ComparisonFolder;
  readonly record: ComparisonRecord;
  readonly plan: ComparisonPlan;
  /** Jobs of the plan's points, in its order. */
  readonly jobs: readonly (Job | undefined)[];
  readonly outcomes: Outcomes;
  /** Remarks that a reader needs before the numbers, in sentences. */
  readonly remarks: readonly string[];
}

/**
 * Reads what there is. Files of single runs that cannot be read are failures of these runs.
 * @throws {UserError} when there is no comparison. @throws {FormatError} when its record is damaged.
 */
export async function openComparison(path: string): Promise<OpenedComparison> {
  const record = await readComparisonRecord(path);
  const folder = comparisonFolder(path);
  const { identity, paths = {} } = record;
  const plan = planOf(record);
  const digests = new Map<string, string>();
  const unreadable: Failure[] = [];
  for (const { job, workload, seed } of plan.dense) {
    if (!(await isDone(folder, job))) continue;
    try {
      digests.set(job.id, await weightsDigest(folder.runFolder(job.id)));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      unreadable.push({ job: job.id, workload, seed, what: 'dense model', message: error.message });
    }
  }
  const jobs = plan.points.map((point) => {
    const digest = digests.get(point.dense.job.id);
    return digest === undefined ? undefined : jobOf(point, digest);
  });
  const outcomes = await outcomesIn(folder, plan, jobs, measuredOn(record));
  return {
    folder,
    record,
    plan,
    jobs,
    outcomes: { ...outcomes, failures: [...outcomes.failures, ...unreadable] },
    remarks: await remarksOnComparison(plan, identity, paths),
  };
}
