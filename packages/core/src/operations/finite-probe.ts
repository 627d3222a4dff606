import { type Scalar, type Tensor, addN, scalar, sum } from '@tensorflow/tfjs-core';
import { numbered } from '../tree/tree';
import { runFused } from './kernel';

/**
 * One number on the device that tells of many: it is NaN or infinite if any number of the float32 tensors is. The other way
 * round it may be infinite because it is their sum, so whoever finds it so has to look at them one by one. Call it in a
 * tidy.
 */
export function finiteProbe(tensors: readonly Tensor[]): Scalar {
  const floats = tensors.filter(({ dtype, size }) => dtype === 'float32' && size > 0);
  if (floats.length === 0) return scalar(0);
  const [probe] = runFused<[Scalar]>('WinnowFiniteProbe', numbered(floats), {}, () => [
    addN(floats.map((each): Scalar => sum(each))),
  ]);
  return probe;
}
