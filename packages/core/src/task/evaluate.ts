import { downloadTree } from '../tree/host';
import { type Residence, leave, residing } from '../tree/resident';
import { type TensorTree, disposeTree, tidyTree } from '../tree/tree';
import type { HostPrediction, Scores, Task } from './task';

/** Scores of parameters on the batches of a split. The only tidy of evaluation is here. */
export async function evaluate<Params extends TensorTree, Batch>(
  task: Task<Params, Batch>,
  params: Params,
  batches: AsyncIterable<Batch>,
): Promise<Scores> {
  const scorer = task.scorer();
  const residence: Residence = new Map();
  try {
    for await (const batch of batches) {
      const answer =
        task.answer === undefined
          ? await predicted(task, params, batch, residence)
          : await task.answer(params, batch);
      await scorer.add(answer, batch);
    }
  } finally {
    leave(residence);
  }
  return scorer.scores();
}

/** A prediction, downloaded. */
async function predicted<Params extends TensorTree, Batch>(
  task: Pick<Task<Params, Batch>, 'predict'>,
  params: Params,
  batch: Batch,
  residence: Residence,
): Promise<HostPrediction> {
  const prediction = residing(residence, () => tidyTree(() => task.predict(params, batch)));
  try {
    return Object.fromEntries(await downloadTree(prediction));
  } finally {
    disposeTree(prediction);
  }
}

/** Milliseconds per forward pass of one batch. */
export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Times forward passes with their download, one after another, after warm-up. */
export async function measureLatency<Params extends TensorTree, Batch>(
  task: Pick<Task<Params, Batch>, 'predict'>,
  params: Params,
  batch: Batch,
  { warmup = 5, runs = 30 }: { readonly warmup?: number; readonly runs?: number } = {},
): Promise<Latency> {
  const times: number[] = [];
  const residence: Residence = new Map();
  try {
    for (let run = 0; run < warmup + runs; run++) {
      const start = performance.now();
      await predicted(task, params, batch, residence);
      const elapsedMs = performance.now() - start;
      if (run >= warmup) times.push(elapsedMs);
    }
  } finally {
    leave(residence);
  }
  times.sort((a, b) => a - b);
  const quantile = (share: number) =>
    times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)] ?? 0;
  return { p50Ms: quantile(0.5), p95Ms: quantile(0.95) };
}
