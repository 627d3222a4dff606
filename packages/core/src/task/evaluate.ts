import { downloadTree } from '../tree/host';
import { type Residence, leave, residing } from '../tree/resident';
import { type TensorTree, disposeTree, tidyTree } from '../tree/tree';
import type { Scores, Task } from './task';

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
      const prediction = residing(residence, () => tidyTree(() => task.predict(params, batch)));
      const host = await downloadTree(prediction);
      disposeTree(prediction);
      scorer.add(Object.fromEntries(host), batch);
    }
  } finally {
    leave(residence);
  }
  return scorer.scores();
}

/** Milliseconds per forward pass of one batch. */
export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Times forward passes with their download, one after another, after warm-up. */
export async function measureLatency<Params extends TensorTree, Batch>(
  task: Task<Params, Batch>,
  params: Params,
  batch: Batch,
  { warmup = 5, runs = 30 }: { readonly warmup?: number; readonly runs?: number } = {},
): Promise<Latency> {
  const times: number[] = [];
  const residence: Residence = new Map();
  try {
    for (let run = 0; run < warmup + runs; run++) {
      const start = performance.now();
      const prediction = residing(residence, () => tidyTree(() => task.predict(params, batch)));
      await downloadTree(prediction);
      const elapsedMs = performance.now() - start;
      disposeTree(prediction);
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
