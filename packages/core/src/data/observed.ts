import { permutation, randomStream } from '../random/random';
import type { Dataset } from './dataset';

/**
 * The examples of an observation, without repetition: the first of a permutation that the seed draws, so a larger number of
 * them begins with the same.
 */
export function observedBatches(
  dataset: Dataset<unknown>,
  {
    examples: asked,
    batchSize,
    seed,
    augment,
    epoch = 0,
  }: {
    readonly examples: number;
    readonly batchSize: number;
    readonly seed: number;
    readonly augment: boolean;
    /** Whose variation it is, where they are augmented. Default 0. */
    readonly epoch?: number;
  },
) {
  const examples = Math.min(asked, dataset.size);
  if (!Number.isInteger(examples) || examples < 1) {
    throw new RangeError(`expected to observe at least one example, got ${asked} of ${dataset.size}`);
  }
  const order = permutation(dataset.size, randomStream(seed, 'observed')).subarray(0, examples);
  return {
    examples,
    count: Math.ceil(examples / batchSize),
    at: async (index: number): Promise<{ batch: unknown; size: number }> => {
      const indices = [...order.subarray(index * batchSize, (index + 1) * batchSize)];
      const batch = await dataset.batch(indices, augment ? { seed, epoch } : undefined);
      return { batch, size: indices.length };
    },
  };
}
