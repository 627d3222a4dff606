import { type Latency, type Model, type TensorTree, lendRunning, measureLatency } from '@winnow/core';
import type { Workload } from '../workload/workload';

/** How long a batch takes, by default of one example, on this machine and engine. */
export async function latencyOn(
  workload: Workload,
  model: Model,
  params: TensorTree,
  batchSize = 1,
): Promise<Latency> {
  // A split that is smaller than the batch is gone through again.
  const indices = Array.from({ length: batchSize }, (_, index) => index % workload.test.size);
  const batch = await workload.test.batch(indices);
  return lendRunning(model, params, (running, own) => measureLatency(workload.taskOf(running), own, batch));
}
