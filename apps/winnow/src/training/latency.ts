import {
  type Latency,
  type Model,
  type TensorTree,
  disposeTree,
  measureLatency,
  runnable,
} from '@winnow/core';
import type { Workload } from '../workload/workload';

/** How long one example takes, on this machine and engine. */
export async function latencyOn(workload: Workload, model: Model, params: TensorTree): Promise<Latency> {
  const batch = await workload.test.batch([0]);
  const ready = runnable(model, params);
  try {
    return await measureLatency(workload.taskOf(ready.model), ready.params, batch);
  } finally {
    disposeTree(ready.params);
  }
}
