import { type NamedTensorMap, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Examples } from '../proof/job';

/** Examples from `start` to `end` as tensors of the engine that runs, by the names of inputs; tokens are int32. Call it in a tidy. */
export const engineInputs = ({ inputs }: Examples, start: number, end: number): NamedTensorMap =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, values }]): [string, Tensor] => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const own = values.subarray(start * size, end * size);
      const extents = [end - start, ...shape];
      return [
        name,
        own instanceof BigInt64Array
          ? tensor(Int32Array.from(own, Number), extents, 'int32')
          : tensor(own, extents, 'float32'),
      ];
    }),
  );
