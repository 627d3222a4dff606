import {
  type Augmentation,
  type PictureGeometry,
  type PictureSize,
  mappedSides,
  randomStream,
  sidesOf,
} from '@winnow/core';
import { augment } from '../augmentation/augment';
import type { AugmentationPolicy } from '../augmentation/policy';
import { allOf, refuseBroken } from './broken';
import { framed } from './geometry';
import type { Normalise } from './normalisation';
import { CHANNELS, type Picture, middleOf } from './picture';
import { type PictureFiles, decoder, pictureReader } from './read';
import type { PictureShelf } from './shelf';
import type { PictureStore } from './store';
import { pictureKey } from './wanted';

/**
 * Pictures that will be augmented are kept somewhat larger than H×W: a crop of two thirds then still has as many pixels to
 * each side, and sampling the whole never skips pixels.
 */
const WORKING_SCALE = 1.25;

export interface PictureOptions {
  /** H and W of the pictures in a batch, in pixels. */
  readonly imageSize: PictureSize;
  readonly evaluationCropShare: number;
  /** Goes before the crop share. */
  readonly evaluationGeometry: PictureGeometry | undefined;
  readonly policy: AugmentationPolicy | undefined;
  readonly normalise: Normalise;
  readonly store: PictureStore;
  /** Default: those on the disk. */
  readonly files?: PictureFiles | undefined;
  /** Where decoded pictures lie on the disk, if anywhere; by the recipe, and the bytes that a picture has, about. */
  readonly shelfFor?: (recipe: string, bytesOfPicture: number) => PictureShelf | undefined;
}

/** A picture file, and the index of the example that it is of, which with seed and epoch decides its variation. */
export interface PictureOfExample {
  readonly path: string;
  readonly example: number;
}

/** Picture files as a model takes them in: decoded and resized by libvips off the main thread, augmented in plain code. */
export interface PreparedPictures {
  /**
   * Decodes the picture as training (augmented or not) or evaluation will want it, into the store.
   * @throws {DataError} naming the file when it cannot be decoded.
   */
  load(path: string, augmented: boolean): Promise<Picture>;
  /** Decoded pictures on the disk. */
  readonly shelf: PictureShelf | undefined;
  /**
   * Normalised pixels, [B, H, W, C]; varied with an augmentation, otherwise as for evaluation.
   * @throws {DataError} naming the files that cannot be decoded.
   */
  batch(pictures: readonly PictureOfExample[], augmentation?: Augmentation): Promise<Float32Array>;
}

export function preparedPictures({
  imageSize,
  evaluationCropShare,
  evaluationGeometry: geometry,
  policy,
  normalise,
  store,
  files,
  shelfFor,
}: PictureOptions): PreparedPictures {
  const sides = sidesOf(imageSize);
  const valuesPerPicture = sides.height * sides.width * CHANNELS;
  const evaluationSize = mappedSides(imageSize, (side) => Math.round(side / evaluationCropShare));
  const workingSize = mappedSides(imageSize, (side) => Math.ceil(side * WORKING_SCALE));
  const varied = new Uint8Array(valuesPerPicture);
  const reader = pictureReader(files);

  const forEvaluation = async (path: string): Promise<Picture> =>
    geometry === undefined
      ? middleOf(await reader.read(path, { covers: evaluationSize, enlarge: true }), sides)
      : await reader.readWhole(path, (picture) => framed(picture, geometry, imageSize));
  const forAugmentation = (path: string): Promise<Picture> =>
    reader.read(path, { covers: workingSize, enlarge: false });
  const recipe = JSON.stringify([
    imageSize,
    geometry ?? evaluationSize,
    policy === undefined ? null : workingSize,
    decoder,
  ]);
  const kept = sidesOf(policy === undefined ? imageSize : workingSize);
  const shelf = shelfFor?.(recipe, CHANNELS * kept.height * kept.width);
  const decoded = (path: string, augmented: boolean): Promise<Picture> => {
    const isVaried = augmented && policy !== undefined;
    return store.get(
      pictureKey({ path, augmented: isVaried }),
      async () =>
        (await shelf?.get({ path, augmented })) ??
        (await (isVaried ? forAugmentation(path) : forEvaluation(path))),
    );
  };

  return {
    shelf,
    load: decoded,
    batch: async (pictures, augmentation) => {
      const { values: sources, problems } = await allOf(
        pictures.map(({ path }) => decoded(path, augmentation !== undefined)),
      );
      refuseBroken(problems);
      const images = new Float32Array(pictures.length * valuesPerPicture);
      sources.forEach((picture, position) => {
        const start = position * valuesPerPicture;
        if (augmentation === undefined || policy === undefined) {
          normalise(picture.pixels, images, start);
          return;
        }
        const { seed, epoch, eraseProbability = policy.eraseProbability } = augmentation;
        const random = randomStream(seed, 'augment', epoch, pictures[position]?.example ?? 0);
        augment(picture, { ...policy, eraseProbability }, random, imageSize, varied);
        normalise(varied, images, start);
      });
      return images;
    },
  };
}
