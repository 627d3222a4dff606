import {
  type ImageClassificationData,
  type ImageInputs,
  type Latency,
  type Model,
  type TensorTree,
  measureLatency,
} from '@winnow/core';
import { taskOn } from './data';

/** How long one picture takes, on this machine and engine. */
export async function latencyOn<Params extends TensorTree>(
  data: ImageClassificationData,
  model: Pick<Model<Params, ImageInputs>, 'forward'>,
  params: Params,
): Promise<Latency> {
  return measureLatency(taskOn(data, model), params, await data.test.batch([0]));
}
