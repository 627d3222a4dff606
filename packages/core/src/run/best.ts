import { z } from 'zod';
import { UserError } from '../error/user-error';
import { downloadTree, uploadTree } from '../tree/host';
import type { TensorTree } from '../tree/tree';
import type { Milestone } from './ledger';
import { type SnapshotStore, loadSnapshot, restored, saveSnapshot, toJson } from './store';

/** A training ends when a score has not been better for a number of evaluations; the best parameters are what it comes to. */
export interface Patience {
  /** The score by which it is judged; higher is better. */
  readonly metric: string;
  readonly evaluations: number;
}

/**
 * The best of the evaluations so far, the earliest of equals.
 * @throws {UserError} when they have no such score.
 */
export function bestOf(
  milestones: readonly Milestone[],
  { metric }: Pick<Patience, 'metric'>,
): { readonly step: number; readonly since: number } | undefined {
  const scores = milestones.map(({ scores }) => scores[metric]);
  if (scores.includes(undefined)) throw new UserError(`there is no score ${metric} to be patient about`);
  const known = scores.flatMap((score) => score ?? []);
  const index = known.indexOf(Math.max(...known));
  const best = milestones[index];
  return best === undefined ? undefined : { step: best.step, since: milestones.length - 1 - index };
}

const metaSchema = z.object({ step: z.int() });
const fileOf = (phase: string): string => `phase-${phase}-best`;

/** Keeps the parameters of a step; after a kill the phase comes by here again, with the same bytes. */
export async function keepBest(
  store: SnapshotStore,
  phase: string,
  step: number,
  params: TensorTree,
): Promise<void> {
  await saveSnapshot(store, fileOf(phase), { tensors: await downloadTree(params), meta: toJson({ step }) });
}

/**
 * The parameters that were kept of a step; the caller owns them.
 * @throws {UserError} naming the snapshot, when it is not there or of another step.
 */
export async function loadBest<Params extends TensorTree>(
  store: SnapshotStore,
  phase: string,
  step: number,
  like: Params,
): Promise<Params> {
  const file = fileOf(phase);
  const saved = await loadSnapshot(store, file, metaSchema);
  return restored(store, file, () => {
    if (saved?.meta.step === step) return uploadTree(like, saved.tensors);
    throw new RangeError(`expected the parameters of step ${step}, got ${saved?.meta.step ?? 'none'}`);
  });
}
