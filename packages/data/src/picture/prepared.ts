import {
  type Augmentation,
  type PictureGeometry,
  type PictureSize,
  mappedSides,
  sidesOf,
} from '@winnow/core';
import type { AugmentationPolicy } from '../augmentation/policy';
import { allOf, refuseBroken } from './broken';
import type { Decoding } from './decoding';
import type { Normalisation } from './normalisation';
import { CHANNELS, type Picture } from './picture';
import { decoder } from './read';
import type { PictureShelf } from './shelf';
import type { PictureStore } from './store';
import { type AnnotatedSides, pictureKey } from './wanted';
import type { PictureWork } from './work';

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
  readonly normalisation: Normalisation;
  readonly store: PictureStore;
  readonly work: PictureWork;
  /** Pictures of other proportions are refused. */
  readonly annotated?: AnnotatedSides | undefined;
  /** Where decoded pictures lie on the disk, if anywhere; by the recipe, and the bytes that a picture has, about. */
  readonly shelfFor?: (recipe: string, bytesOfPicture: number) => PictureShelf | undefined;
}

/** A picture file, and the index of the example that it is of, which with seed and epoch decides its variation. */
export interface PictureOfExample {
  readonly path: string;
  readonly example: number;
}

/** Picture files as a model takes them in: decoded and resized by libvips, augmented in plain code, here or on other threads. */
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
  normalisation,
  store,
  work,
  annotated,
  shelfFor,
}: PictureOptions): PreparedPictures {
  const evaluationSize = mappedSides(imageSize, (side) => Math.round(side / evaluationCropShare));
  const workingSize = mappedSides(imageSize, (side) => Math.ceil(side * WORKING_SCALE));
  const forEvaluation: Decoding =
    geometry === undefined
      ? { kind: 'scaled', covers: evaluationSize, enlarge: true, middle: imageSize }
      : { kind: 'framed', geometry, imageSize };
  const evaluated = (path: string): Decoding =>
    forEvaluation.kind === 'framed' ? { ...forEvaluation, annotated: annotated?.(path) } : forEvaluation;
  const forAugmentation: Decoding = { kind: 'scaled', covers: workingSize, enlarge: false };
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
        (await work.decode(path, isVaried ? forAugmentation : evaluated(path))),
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
      const examples = sources.map((picture, position) => ({
        picture,
        example: pictures[position]?.example ?? 0,
      }));
      if (augmentation === undefined || policy === undefined)
        return work.fill(examples, { imageSize, normalisation });
      const { seed, epoch, eraseProbability = policy.eraseProbability } = augmentation;
      const variation = { policy: { ...policy, eraseProbability }, seed, epoch };
      return work.fill(examples, { imageSize, normalisation, variation });
    },
  };
}
