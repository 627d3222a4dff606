import { type PictureGeometry, type PictureSize, sidesOf, sizeText } from '@winnow/core';
import {
  type AugmentationPolicy,
  type AugmentationPreset,
  augmentationPolicy,
  checkPolicy,
} from '../augmentation/policy';
import type { PictureContents } from '../identity/picture-contents';
import { type Normalisation, imageNetNormalisation, normaliser } from './normalisation';
import type { PictureCache } from './pack';
import { type PreparedPictures, preparedPictures } from './prepared';
import { pictureShelf } from './shelf';
import { workOnThreads } from '../worker/threads';
import { pictureStore } from './store';
import type { PicturesOfSplits } from './wanted';
import { workHere } from './work';

const DEFAULT_CACHE_BYTES = 512 * 1024 * 1024;
/** Pixels: a batch of one such picture is 200 MB, and no vision transformer takes larger ones. */
const LARGEST_SIDE = 4096;
const MOST_WORKERS = 256;

export interface ImageOptions {
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  /** Default: ImageNet's. */
  readonly normalisation?: Normalisation;
  /** The variation of training pictures; the default depends on the dataset. */
  readonly augmentation?: AugmentationPreset | AugmentationPolicy;
  /** Probability of painting over a rectangle of a training picture, in place of the augmentation's. */
  readonly eraseProbability?: number;
  /**
   * Evaluation scales pictures to cover H / this × W / this and cuts the middle H×W out. Default 1: a whole side.
   * ImageNet models at 224 pixels are customarily evaluated with 0.875 or 0.9.
   */
  readonly evaluationCropShare?: number;
  /**
   * The way in which evaluation brings pictures to their size: level for level as Pillow or torchvision do it. Without it as
   * `evaluationCropShare` says. Pictures that training varies are not concerned.
   */
  readonly evaluationGeometry?: PictureGeometry;
  /** Memory for decoded pictures, so that later epochs do not decode again. Default 512 MiB. */
  readonly cacheBytes?: number;
  /**
   * When every picture is decoded once, so that a broken one is found: `true` at opening; `background` while batches are asked
   * for, the next of which then fails (up to 500 pictures at opening all the same); `false` (the default) never: a broken file is reported when it is first used.
   */
  readonly preload?: boolean | 'background';
  /**
   * Threads that read, decode and vary pictures. Default 0: this thread, and libvips' own. What comes of it is the same; it pays
   * where pictures have a hundred pixels a side or more.
   */
  readonly workers?: number;
  /** Where decoded pictures that do not fit into memory are kept, and all of them for the next time. Default: nowhere. */
  readonly pictureCache?: PictureCache;
}

/** @throws {RangeError} on a length outside its range, or beside a crop share. */
function checkGeometry({ evaluationGeometry: geometry, evaluationCropShare }: ImageOptions): void {
  if (geometry === undefined) return;
  if (evaluationCropShare !== undefined)
    throw new RangeError('expected evaluationGeometry or evaluationCropShare, got both');
  for (const [name, length] of Object.entries(geometry.resize)) {
    if (name === 'kind' || (Number.isInteger(length) && length >= 1 && length <= LARGEST_SIDE)) continue;
    throw new RangeError(
      `expected ${name} of evaluationGeometry to be a whole number of 1 to ${LARGEST_SIDE} pixels, got ${length}`,
    );
  }
}

function policyOf(
  augmentation: AugmentationPreset | AugmentationPolicy,
  eraseProbability: number | undefined,
): AugmentationPolicy | undefined {
  const named = typeof augmentation === 'string' ? augmentationPolicy(augmentation) : augmentation;
  const policy =
    named === undefined || eraseProbability === undefined ? named : { ...named, eraseProbability };
  if (policy !== undefined) checkPolicy(policy);
  return policy;
}

/**
 * Pictures prepared as the options say.
 * @param found All of them, where they are known: what was decoded of them may be kept for the next time.
 * @throws {RangeError} on options outside their range.
 */
export function picturesFor(
  options: ImageOptions,
  defaultAugmentation: AugmentationPreset,
  found?: PicturesOfSplits,
): PreparedPictures {
  const { imageSize, evaluationCropShare = 1, cacheBytes = DEFAULT_CACHE_BYTES } = options;
  const sides = Object.values(sidesOf(imageSize));
  if (!sides.every((side) => Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE)) {
    throw new RangeError(
      `expected imageSize to be a whole number of 1 to ${LARGEST_SIDE} pixels, got ${sizeText(imageSize)}`,
    );
  }
  if (!(evaluationCropShare > 0 && evaluationCropShare <= 1)) {
    throw new RangeError(`expected evaluationCropShare above 0 and not above 1, got ${evaluationCropShare}`);
  }
  if (Math.max(...sides) / evaluationCropShare > LARGEST_SIDE) {
    throw new RangeError(
      `expected imageSize / evaluationCropShare of at most ${LARGEST_SIDE} pixels, got ${sizeText(imageSize)} / ${evaluationCropShare}`,
    );
  }
  checkGeometry(options);
  if (!(cacheBytes >= 0)) throw new RangeError(`expected cacheBytes of 0 or more, got ${cacheBytes}`);
  const { pictureCache: cache, preload = false, workers = 0 } = options;
  const { normalisation = imageNetNormalisation } = options;
  normaliser(normalisation); // options are refused at once
  if (!Number.isInteger(workers) || workers < 0 || workers > MOST_WORKERS)
    throw new RangeError(`expected workers to be a whole number of 0 to ${MOST_WORKERS}, got ${workers}`);
  const store = pictureStore(cacheBytes);
  return preparedPictures({
    imageSize,
    evaluationCropShare,
    evaluationGeometry: options.evaluationGeometry,
    policy: policyOf(options.augmentation ?? defaultAugmentation, options.eraseProbability),
    normalisation,
    store,
    annotated: found?.annotated,
    work: workers === 0 ? workHere(found?.files) : workOnThreads(workers, found?.files),
    ...(found === undefined || cache === undefined || preload === false
      ? {}
      : {
          shelfFor: (recipe, bytesOfPicture) =>
            pictureShelf({
              ...found,
              contents: contentsAsAnnotated(found),
              cache,
              recipe,
              bytesOfPicture,
              memory: store,
            }),
        }),
  });
}

/** The contents with the sides that were annotated: decoded pictures that lie on the disk had these. */
function contentsAsAnnotated({ contents, annotated }: PicturesOfSplits): PictureContents {
  if (annotated === undefined) return contents;
  return async (paths, cache) =>
    (await contents(paths, cache)).map((word, place) => {
      const sides = annotated(paths[place] ?? '');
      return sides === undefined ? word : `${word} ${sides.width}×${sides.height}`;
    });
}
