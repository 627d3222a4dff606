import type { Augmentation, Dataset, ImageBatch } from '@winnow/core';
import type { PreparedPictures } from '../picture/prepared';

/** A picture file and the index of its class. */
export interface LabelledPicture {
  readonly path: string;
  readonly label: number;
}

/**
 * A dataset over picture files. Its batches fail with a {@link DataError} that names the file, or a {@link RangeError}
 * for an index out of range.
 */
export function labelledPictures(
  examples: readonly LabelledPicture[],
  pictures: Pick<PreparedPictures, 'batch'>,
): Dataset<ImageBatch> {
  const at = (index: number): LabelledPicture => {
    const example = examples[index];
    if (example === undefined) {
      throw new RangeError(`expected an index below ${examples.length}, got ${index}`);
    }
    return example;
  };
  return {
    size: examples.length,
    batch: async (indices: readonly number[], augmentation?: Augmentation): Promise<ImageBatch> => {
      const labels = Int32Array.from(indices, (index) => at(index).label);
      const images = await pictures.batch(
        indices.map((index) => ({ path: at(index).path, example: index })),
        augmentation,
      );
      return { size: indices.length, images, labels };
    },
  };
}
