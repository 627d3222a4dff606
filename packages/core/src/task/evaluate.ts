import { downloadTree } from '../tree/host';
import { type TensorTree, disposeTree, tidyTree } from '../tree/tree';
import type { HostPrediction, Scores, Task } from './task';

/** Scores of the parameters that run on the batches of a split. The only tidy of evaluation is here. */
export async function evaluate<Params extends TensorTree, Batch>(
  task: Task<Params, Batch>,
  params: Params,
  batches: AsyncIterable<Batch>,
): Promise<Scores> {
  const scorer = task.scorer();
  for await (const batch of batches) {
    const answer =
      task.answer === undefined ? await predicted(task, params, batch) : await task.answer(params, batch);
    await scorer.add(answer, batch);
  }
  return scorer.scores();
}

/** A prediction, downloaded. */
async function predicted<Params extends TensorTree, Batch>(
  task: Pick<Task<Params, Batch>, 'predict'>,
  params: Params,
  batch: Batch,
): Promise<HostPrediction> {
  const prediction = tidyTree(() => task.predict(params, batch));
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
  const times = await forwardTimes(task, params, batch, { warmup, runs });
  return { p50Ms: quantileOf(times, 0.5), p95Ms: quantileOf(times, 0.95) };
}

/** The milliseconds of each of some forward passes with their download, after warm-up. */
export async function forwardTimes<Params extends TensorTree, Batch>(
  task: Pick<Task<Params, Batch>, 'predict'>,
  params: Params,
  batch: Batch,
  { warmup, runs }: { readonly warmup: number; readonly runs: number },
): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < warmup + runs; run++) {
    const start = performance.now();
    await predicted(task, params, batch);
    const elapsedMs = performance.now() - start;
    if (run >= warmup) times.push(elapsedMs);
  }
  return times;
}

/** A model that is timed: lent. */
export interface Timed {
  readonly task: Pick<Task, 'predict'>;
  readonly params: TensorTree;
}

/**
 * The milliseconds of forward passes of two models in turn, after warm-up: whatever else the machine does meets both alike, so
 * the ratio of their medians is steadier than either.
 */
export async function timesInTurn(
  first: Timed,
  second: Timed,
  batch: unknown,
  { warmup, runs }: { readonly warmup: number; readonly runs: number },
): Promise<{ readonly first: number[]; readonly second: number[] }> {
  const times = { first: new Array<number>(), second: new Array<number>() };
  for (let run = 0; run < warmup + runs; run++) {
    const [one] = await forwardTimes(first.task, first.params, batch, { warmup: 0, runs: 1 });
    const [other] = await forwardTimes(second.task, second.params, batch, { warmup: 0, runs: 1 });
    if (run < warmup || one === undefined || other === undefined) continue;
    times.first.push(one);
    times.second.push(other);
  }
  return times;
}

/** The least of some values that is no less than a share of them. */
export function quantileOf(values: readonly number[], share: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? 0;
}
