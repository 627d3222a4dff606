import type { Tensor2D } from '@tensorflow/tfjs-core';

/**
 * Sees what goes into a linear map of a forward pass, by the map's path in the record: `blocks.3.ffn.contract`, [N, in].
 * The tensor is lent. A forward pass with an observer computes every sub-layer step by step; without one, no step asks.
 */
export type Observe = (path: string, input: Tensor2D) => void;

/** The observer for what stands under `key`. */
export const observeUnder = (observe: Observe | undefined, key: string): Observe | undefined =>
  observe === undefined
    ? undefined
    : (path, input) => {
        observe(`${key}.${path}`, input);
      };
