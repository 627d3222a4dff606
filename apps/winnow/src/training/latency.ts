import { type Latency, type Model, type TensorTree, measureLatency } from '@winnow/core';
import type { Workload } from '../workload/workload';

/** How long one example takes, on this machine and engine. */
export async function latencyOn(workload: Workload, model: Model, params: TensorTree): Promise<Latency> {
  return measureLatency(workload.taskOf(model), params, await workload.test.batch([0]));
}
