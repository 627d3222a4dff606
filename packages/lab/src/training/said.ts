import { type Model, type TensorTree, evaluate, lendRunning } from '@winnow/core';
import type { Said, Workload } from '../workload/workload';

/** Examples that a report shows. */
const SHOWN = 10;

/** Asks a model about some examples from all over the test split; undefined where it does not answer in words. */
export async function saidOnTest(
  { test, said, taskOf }: Pick<Workload, 'test' | 'said' | 'taskOf'>,
  { model, params }: { readonly model: Model; readonly params: TensorTree },
): Promise<readonly Said[] | undefined> {
  if (said === undefined || test.size === 0) return undefined;
  const count = Math.min(SHOWN, test.size);
  const places = Array.from({ length: count }, (_, k) => Math.floor((k * test.size) / count));
  return lendRunning(model, params, async (running, own) => {
    const task = taskOf(running);
    const found: Said[] = [];
    for (const place of places) {
      const scorer = () => ({
        add: async (answer: unknown, batch: unknown) => void found.push(await said(answer, batch)),
        scores: () => ({}),
      });
      await evaluate({ ...task, scorer }, own, one(test.batch([place])));
    }
    return found;
  });
}

async function* one<Batch>(batch: Promise<Batch>): AsyncGenerator<Batch> {
  yield await batch;
}
