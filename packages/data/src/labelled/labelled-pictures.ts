import { type Augmentation, type Dataset, type ImageBatch, randomStream } from '@winnow/core';
import { augment } from '../augmentation/augment';
import type { AugmentationPolicy } from '../augmentation/policy';
import { CHANNELS, type Picture, centreSquare } from '../picture/picture';
import { readPicture } from '../picture/read';
import type { PictureStore } from '../picture/store';
import type { Normalise } from './normalisation';

/** A picture file and the index of its class. */
export interface LabelledPicture {
  readonly path: string;
  readonly label: number;
}

/**
 * Pictures that will be augmented are kept somewhat larger than S: a crop of two thirds then still has S pixels to
 * each side, and sampling the whole never skips pixels.
 */
const WORKING_SCALE = 1.25;

export interface PictureOptions {
  /** S: side of the pictures in a batch, in pixels. */
  readonly imageSize: number;
  readonly evaluationCropShare: number;
  readonly policy: AugmentationPolicy | undefined;
  readonly normalise: Normalise;
  readonly store: PictureStore;
}

export interface LabelledDataset extends Dataset<ImageBatch> {
  /**
   * Decodes the picture at `index` as training (augmented or not) or evaluation will want it, into the store.
   * @throws {DataError} naming the file when it cannot be decoded.
   */
  load(index: number, augmented: boolean): Promise<void>;
}

/**
 * A dataset over picture files: decoded and resized by libvips off the main thread, augmented in plain code.
 * Its batches fail with a {@link DataError} that names the file, or a {@link RangeError} for an index out of range.
 */
export function labelledPictures(
  pictures: readonly LabelledPicture[],
  { imageSize, evaluationCropShare, policy, normalise, store }: PictureOptions,
): LabelledDataset {
  const valuesPerPicture = imageSize * imageSize * CHANNELS;
  const evaluationSide = Math.round(imageSize / evaluationCropShare);
  const workingSide = Math.ceil(imageSize * WORKING_SCALE);
  const varied = new Uint8Array(valuesPerPicture);

  const at = (index: number): LabelledPicture => {
    const picture = pictures[index];
    if (picture === undefined) {
      throw new RangeError(`expected an index below ${pictures.length}, got ${index}`);
    }
    return picture;
  };
  const forEvaluation = (path: string): Promise<Picture> =>
    store.get(`evaluation ${path}`, async () =>
      centreSquare(await readPicture(path, { shorterSide: evaluationSide, enlarge: true }), imageSize),
    );
  const forAugmentation = (path: string): Promise<Picture> =>
    store.get(`augmentation ${path}`, () => readPicture(path, { shorterSide: workingSide, enlarge: false }));
  const decoded = (index: number, augmented: boolean): Promise<Picture> =>
    augmented && policy !== undefined ? forAugmentation(at(index).path) : forEvaluation(at(index).path);

  return {
    size: pictures.length,
    load: async (index, augmented) => {
      await decoded(index, augmented);
    },
    batch: async (indices: readonly number[], augmentation?: Augmentation): Promise<ImageBatch> => {
      const labels = Int32Array.from(indices, (index) => at(index).label);
      const sources = await Promise.all(indices.map((index) => decoded(index, augmentation !== undefined)));
      const images = new Float32Array(indices.length * valuesPerPicture);
      sources.forEach((picture, position) => {
        const start = position * valuesPerPicture;
        if (augmentation === undefined || policy === undefined) {
          normalise(picture.pixels, images, start);
          return;
        }
        const { seed, epoch } = augmentation;
        const random = randomStream(seed, 'augment', epoch, indices[position] ?? 0);
        augment(picture, policy, random, imageSize, varied);
        normalise(varied, images, start);
      });
      return { size: indices.length, images, labels };
    },
  };
}
