import type { ComparisonPlan } from '@winnow/comparison';
import { UserError } from '@winnow/core';
import { z } from 'zod';
import type { HubWatch } from '../hub/snapshot';
import { pinnedModel } from '../model-source/hub-model';
import { trainGroups } from '../options/train-options';
import { identityOf, codeOf } from '../identity/identify';
import { codeChanges, identityChanges, runIdentity } from '../identity/run-identity';
import { absolutePathsIn, locate, pathOptionsOf, withPaths } from '../options/path-options';

/** Everything that a comparison's results depend on beside its config, as it was when its runs were last asked for. */
export const comparisonIdentity = z.object({
  /** The identity of each workload, by its name. */
  workloads: z.record(z.string(), runIdentity.omit({ code: true })),
  /** Versions and hashes of all packages whose code some run depends on. */
  code: runIdentity.shape.code,
});
export type ComparisonIdentity = z.output<typeof comparisonIdentity>;

/** Where the paths of each workload's options lead, by dotted key. */
export const workloadPaths = z.record(z.string(), z.record(z.string(), z.string()));
export type WorkloadPaths = z.output<typeof workloadPaths>;

/**
 * Looks for the data and files of every workload.
 * @param recorded Where they were when the comparison was last asked for.
 * @param first Which is taken where both are there: that, or what is typed in the config, from the working directory on.
 * @returns paths from the root of the file system on.
 * @throws {UserError} when something is not there.
 */
export function locateWorkloads(
  { dense }: ComparisonPlan,
  recorded: WorkloadPaths,
  first: 'recorded' | 'typed',
): WorkloadPaths {
  const found: WorkloadPaths = {};
  for (const { workload, job } of dense) {
    if (found[workload] !== undefined) continue;
    const { options } = job;
    const pathOptions = pathOptionsOf(trainGroups(options));
    const paths = recorded[workload] ?? {};
    const { paths: there, missing } = locate({ options, paths }, pathOptions, first);
    const [gone] = missing;
    if (gone !== undefined) {
      const before = gone.recorded === gone.typed ? '' : ` and not in ${gone.recorded} any more`;
      throw new UserError(`workload ${workload}: ${gone.key} ${gone.typed} is not here${before}`);
    }
    found[workload] = { ...there, ...absolutePathsIn(there, pathOptions) };
  }
  return found;
}

/** The same with every model of the Hub by its commit. @throws {UserError} when one cannot be had from the Hub. */
export async function pinnedWorkloads(paths: WorkloadPaths, watch: HubWatch): Promise<WorkloadPaths> {
  const pinned: WorkloadPaths = {};
  for (const [workload, own] of Object.entries(paths)) {
    const found: Record<string, string> = {};
    for (const [key, path] of Object.entries(own)) found[key] = await pinnedModel(path, watch);
    pinned[workload] = found;
  }
  return pinned;
}

/** Identifies what the results depend on, as it is now. @throws {DataError} when data cannot be read. */
export async function identifyComparison(
  { dense, points }: ComparisonPlan,
  paths: WorkloadPaths,
): Promise<ComparisonIdentity> {
  const workloads: ComparisonIdentity['workloads'] = {};
  const code: ComparisonIdentity['code'] = {};
  for (const { workload, job } of dense) {
    if (workloads[workload] !== undefined) continue;
    const options = withPaths(job.options, paths[workload] ?? {});
    const found = await identityOf('train', options, pathOptionsOf(trainGroups(options)));
    workloads[workload] = { data: found.data, files: found.files };
    Object.assign(code, found.code);
  }
  // All runs of a method have the same code.
  const methods = new Map(points.map((point) => [point.contender.method, point.options]));
  for (const options of methods.values()) Object.assign(code, await codeOf('compress', options));
  return { workloads, code };
}

/** Lists what is different in `now`, a line each. */
export function comparisonChanges(before: ComparisonIdentity, now: ComparisonIdentity): string[] {
  const ofWorkloads = Object.entries(now.workloads).flatMap(([name, here]) => {
    const old = before.workloads[name];
    if (old === undefined) return [];
    const changes = identityChanges({ ...old, code: {} }, { ...here, code: {} });
    return changes.map((change) => `workload ${name}, ${change}`);
  });
  // A method that was not compared before has no code that could have changed.
  const known = Object.fromEntries(
    Object.entries(now.code).filter(([name]) => before.code[name] !== undefined),
  );
  const old = Object.fromEntries(
    Object.entries(before.code).filter(([name]) => now.code[name] !== undefined),
  );
  return [...ofWorkloads, ...codeChanges({ code: old }, { code: known })];
}

/** Sentences for readers of a comparison's results: what has changed since its runs were made, or is not known of them. */
export async function remarksOnComparison(
  plan: ComparisonPlan,
  before: ComparisonIdentity | undefined,
  recorded: WorkloadPaths,
): Promise<string[]> {
  if (before === undefined) return [NOT_KNOWN];
  try {
    const now = await identifyComparison(plan, locateWorkloads(plan, recorded, 'recorded'));
    const changes = comparisonChanges(before, now);
    return changes.length === 0 ? [] : [`${HAVE_CHANGED}: ${changes.join('; ')}.`];
  } catch (error) {
    const { success, data } = ofUser.safeParse(error);
    if (!success) throw error;
    return [`${NOT_FOUND}: ${data.message}.`];
  }
}

const ofUser = z.object({ exitCode: z.literal(2), message: z.string() });

const NOT_KNOWN =
  'What data and code these results are of is not known: an earlier Winnow made them, which did not record it.';
const HAVE_CHANGED = 'Something has changed since these results were made';
const NOT_FOUND = 'Whether the data of these results are still the same cannot be said';
