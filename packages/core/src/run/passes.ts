import { dispose } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { InterruptedError } from '../error/user-error';
import { downloadTree, uploadTree } from '../tree/host';
import { type TensorTree, cloneTree, disposeTree, leavesOf } from '../tree/tree';
import type { Runner } from './phase';
import { loadSnapshot, restored, saveSnapshot, toJson } from './store';

const metaSchema = z.object({ step: z.int().nonnegative(), wallMs: z.number().nonnegative() });

/** Batches that go through a model one after another, each moving a state. */
export interface Passes<State extends TensorTree> {
  /** The number of batches. */
  readonly count: number;
  /** Before the first one; it stays the caller's. */
  readonly state: State;
  /** The state after another one. It owns its leaves, but for those that it passes on. */
  pass(index: number, state: State): Promise<State>;
}

/** Passes that survive a crash: they go on from their last checkpoint and end in the same bytes. The caller owns the state. */
export async function runPasses<State extends TensorTree>(
  runner: Runner,
  name: string,
  { count, state: start, pass }: Passes<State>,
): Promise<{ state: State; wallMs: number }> {
  const file = `phase-${name}`;
  const saved = await loadSnapshot(runner.store, file, metaSchema);
  let { step: done, wallMs } = saved?.meta ?? { step: 0, wallMs: 0 };
  let state =
    saved === undefined
      ? cloneTree(start)
      : restored(runner.store, file, () => uploadTree(start, saved.tensors));
  if (done < count) runner.report({ kind: 'phase', phase: name, steps: count, from: done });
  try {
    while (done < count) {
      const startMs = performance.now();
      const before = state;
      state = await pass(done, before);
      const left = new Set(leavesOf(state));
      dispose(leavesOf(before).filter((leaf) => !left.has(leaf)));
      done += 1;
      wallMs += performance.now() - startMs;
      const stopping = runner.signal?.aborted === true;
      if (stopping || done === count || done % runner.checkpointEvery === 0) {
        const tensors = await downloadTree(state);
        await saveSnapshot(runner.store, file, { tensors, meta: toJson({ step: done, wallMs }) });
        runner.report({ kind: 'checkpoint', phase: name, step: done });
      }
      if (stopping) throw new InterruptedError();
    }
  } catch (error) {
    disposeTree(state);
    throw error;
  }
  return { state, wallMs };
}
