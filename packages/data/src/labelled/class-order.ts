import type { Dataset, ImageBatch } from '@winnow/core';
import type { FoundImageClassificationData } from './classification';

/**
 * The same pictures with their classes in another order: label k is then the k-th of `classes`.
 * @param classes The names of the data's classes, each once.
 * @throws {RangeError} when they are not.
 */
export function inClassOrder(
  data: FoundImageClassificationData,
  classes: readonly string[],
): FoundImageClassificationData {
  const places = new Map(classes.map((name, place) => [name, place]));
  const labels = Int32Array.from(data.classes, (name) => places.get(name) ?? -1);
  if (places.size !== data.classes.length || labels.includes(-1)) {
    throw new RangeError(
      `expected the classes ${data.classes.join(', ')} in some order, got ${classes.join(', ')}`,
    );
  }
  const relabelled = (dataset: Dataset<ImageBatch>): Dataset<ImageBatch> => ({
    ...dataset,
    batch: async (indices, augmentation) => {
      const found = await dataset.batch(indices, augmentation);
      return { ...found, labels: found.labels.map((label) => labels[label] ?? label) };
    },
  });
  const { train, validation, test } = data;
  return {
    ...data,
    classes,
    train: relabelled(train),
    validation: relabelled(validation),
    test: relabelled(test),
  };
}
