import { permutation, randomStream } from '../random/random';
import type { Dataset } from './dataset';

/** The batches of a training, by step. The order is a function of the seed alone, so a resumed run sees the same data. */
export interface BatchSource<Batch> {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** The batch of one step; later ones are already on their way. Steps are asked for in increasing order. */
  at(step: number): Promise<Batch>;
}

export interface TrainingBatchesOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly augment: boolean;
  /** Probability of painting over a rectangle of an augmented picture, in place of the dataset's own. */
  readonly eraseProbability?: number;
  /** The number of batches to prepare ahead of the one in use. */
  readonly prefetch?: number;
}

/**
 * Shuffled batches of equal size, epoch after epoch; the remainder of an epoch that fills no batch is left out.
 * A batch size above the dataset's size is lowered to it.
 * @throws {RangeError} on an empty dataset or a batch size that is not a positive integer.
 */
export function trainingBatches<Batch>(
  dataset: Dataset<Batch>,
  { batchSize: requested, seed, augment, eraseProbability, prefetch = 4 }: TrainingBatchesOptions,
): BatchSource<Batch> {
  if (dataset.size === 0) throw new RangeError('the training split has no examples');
  if (!Number.isInteger(requested) || requested < 1) {
    throw new RangeError(`expected a positive integer batch size, got ${requested}`);
  }
  const batchSize = Math.min(requested, dataset.size);
  const stepsPerEpoch = Math.floor(dataset.size / batchSize);
  let order: { epoch: number; indices: Int32Array } = { epoch: -1, indices: new Int32Array() };
  const erasing = eraseProbability === undefined ? {} : { eraseProbability };
  const pending = new Map<number, Promise<Batch>>();

  const request = (step: number): Promise<Batch> => {
    const known = pending.get(step);
    if (known !== undefined) return known;
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order.epoch !== epoch) {
      const own = dataset.order?.({ seed, epoch });
      order = { epoch, indices: own ?? permutation(dataset.size, randomStream(seed, 'order', epoch)) };
    }
    const start = (step % stepsPerEpoch) * batchSize;
    const indices = [...order.indices.subarray(start, start + batchSize)];
    const batch = dataset.batch(indices, augment ? { seed, epoch, ...erasing } : undefined);
    batch.catch(() => undefined); // reported when the step asks for it
    pending.set(step, batch);
    return batch;
  };

  return {
    batchSize,
    stepsPerEpoch,
    at: async (step) => {
      for (const old of pending.keys()) if (old < step) pending.delete(old);
      const batch = request(step);
      for (let ahead = 1; ahead <= prefetch; ahead++) request(step + ahead);
      return batch;
    },
  };
}

/** All examples once, in order, without augmentation; the last batch may be smaller. */
export async function* evaluationBatches<Batch>(
  dataset: Dataset<Batch>,
  batchSize: number,
): AsyncGenerator<Batch> {
  const request = (start: number) => {
    const length = Math.min(batchSize, dataset.size - start);
    const batch = dataset.batch(Array.from({ length }, (_, offset) => start + offset));
    batch.catch(() => undefined);
    return batch;
  };
  let next = dataset.size > 0 ? request(0) : undefined;
  for (let start = 0; next !== undefined; start += batchSize) {
    const current: Promise<Batch> = next;
    next = start + batchSize < dataset.size ? request(start + batchSize) : undefined;
    yield await current;
  }
}
