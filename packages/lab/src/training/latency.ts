import {
  type Latency,
  type Model,
  type TensorTree,
  lendRunning,
  measureLatency,
  quantileOf,
  timesInTurn,
} from '@winnow/core';
import type { Workload } from '../workload/workload';

const RUNS = 30;
const WARMUP = 5;

/** Times a batch, by default of one example, on this machine and engine: the median of `passes`, by default 30. */
export async function latencyOn(
  workload: Workload,
  model: Model,
  params: TensorTree,
  { batchSize = 1, passes = RUNS }: { readonly batchSize?: number; readonly passes?: number } = {},
): Promise<Latency> {
  // A split that is smaller than the batch is gone through again.
  const indices = Array.from({ length: batchSize }, (_, index) => index % workload.test.size);
  const batch = await workload.test.batch(indices);
  return lendRunning(model, params, (running, own) =>
    measureLatency(workload.taskOf(running), own, batch, { warmup: Math.min(WARMUP, passes), runs: passes }),
  );
}

interface Held {
  readonly model: Model;
  readonly params: TensorTree;
}

/** The median milliseconds that one example takes: of a smaller model, and of the dense one in turn with it. */
export async function besideDense(
  workload: Workload,
  dense: Held,
  smaller: Held,
): Promise<{ readonly ms: number; readonly denseMs: number }> {
  const batch = await workload.test.batch([0]);
  const times = await lendRunning(dense.model, dense.params, (model, params) =>
    lendRunning(smaller.model, smaller.params, (own, ownParams) =>
      timesInTurn(
        { task: workload.taskOf(model), params },
        { task: workload.taskOf(own), params: ownParams },
        batch,
        { warmup: WARMUP, runs: RUNS },
      ),
    ),
  );
  return { ms: quantileOf(times.second, 0.5), denseMs: quantileOf(times.first, 0.5) };
}
