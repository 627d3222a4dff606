import type { ImageClassificationData, Splits } from '@winnow/core';
import {
  type AugmentationPolicy,
  type AugmentationPreset,
  augmentationPolicy,
  checkPolicy,
} from '../augmentation/policy';
import { DataError } from '../failure/data-error';
import { CHANNELS } from '../picture/picture';
import { pictureStore } from '../picture/store';
import { type LabelledDataset, type LabelledPicture, labelledPictures } from './labelled-pictures';
import { type Normalisation, imageNetNormalisation, normaliser } from './normalisation';

const DEFAULT_CACHE_BYTES = 512 * 1024 * 1024;
/** Decodings asked for at a time: enough to keep libvips' threads busy, few enough to bound memory. */
const LOADS_IN_FLIGHT = 64;
const PROBLEMS_LISTED = 10;

export interface ImageOptions {
  /** S: side of the square pictures, in pixels. */
  readonly imageSize: number;
  /** Default: ImageNet's. */
  readonly normalisation?: Normalisation;
  /** How training pictures are varied; the default depends on the dataset. */
  readonly augmentation?: AugmentationPreset | AugmentationPolicy;
  /**
   * Evaluation scales the shorter side to S / this and cuts the middle S×S out. Default 1: the whole shorter side.
   * ImageNet models at 224 pixels are customarily evaluated with 0.875 or 0.9.
   */
  readonly evaluationCropShare?: number;
  /** Memory for decoded pictures, so that later epochs do not decode again. Default 512 MiB. */
  readonly cacheBytes?: number;
  /**
   * Decode every picture now. A broken file is then reported before a training starts and not in its middle; pictures
   * that fit into the cache are not decoded again. Default false: a broken file is reported when it is first used.
   */
  readonly preload?: boolean;
}

export interface LabelledSplits {
  readonly name: string;
  readonly classes: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly LabelledPicture[]>>;
}

function policyOf(augmentation: AugmentationPreset | AugmentationPolicy): AugmentationPolicy | undefined {
  const policy = typeof augmentation === 'string' ? augmentationPolicy(augmentation) : augmentation;
  if (policy !== undefined) checkPolicy(policy);
  return policy;
}

/** Decodes everything; the errors of all broken files come as one. */
async function loadAll(datasets: readonly (readonly [LabelledDataset, augmented: boolean])[]): Promise<void> {
  const problems: DataError[] = [];
  for (const [dataset, augmented] of datasets) {
    for (let start = 0; start < dataset.size; start += LOADS_IN_FLIGHT) {
      const length = Math.min(LOADS_IN_FLIGHT, dataset.size - start);
      const loads = Array.from({ length }, (_, offset) => dataset.load(start + offset, augmented));
      for (const outcome of await Promise.allSettled(loads)) {
        if (outcome.status === 'fulfilled') continue;
        if (!(outcome.reason instanceof DataError)) throw outcome.reason;
        problems.push(outcome.reason);
      }
    }
  }
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  const more = problems.length - PROBLEMS_LISTED;
  throw new DataError(
    {
      expected: 'complete pictures',
      found: `${problems.length} files that cannot be decoded`,
      advice: [
        'Replace them, save them anew, or remove them:',
        ...problems.slice(0, PROBLEMS_LISTED).map((problem) => `- ${problem.message}`),
        ...(more > 0 ? [`- and ${more} more`] : []),
      ].join('\n'),
    },
    { cause: first },
  );
}

/**
 * Picture files, split and labelled, as data for training and evaluation.
 * @throws {RangeError} on options outside their range. @throws {DataError} on broken files, with `preload`.
 */
export async function classificationData(
  { name, classes, splits }: LabelledSplits,
  options: ImageOptions,
  defaultAugmentation: AugmentationPreset,
): Promise<ImageClassificationData> {
  const { imageSize, evaluationCropShare = 1, cacheBytes = DEFAULT_CACHE_BYTES } = options;
  if (!Number.isInteger(imageSize) || imageSize < 1) {
    throw new RangeError(`expected imageSize to be a positive whole number of pixels, got ${imageSize}`);
  }
  if (!(evaluationCropShare > 0 && evaluationCropShare <= 1)) {
    throw new RangeError(`expected evaluationCropShare above 0 and not above 1, got ${evaluationCropShare}`);
  }
  if (!(cacheBytes >= 0)) throw new RangeError(`expected cacheBytes of 0 or more, got ${cacheBytes}`);
  const pictureOptions = {
    imageSize,
    evaluationCropShare,
    policy: policyOf(options.augmentation ?? defaultAugmentation),
    normalise: normaliser(options.normalisation ?? imageNetNormalisation),
    store: pictureStore(cacheBytes),
  };
  const train = labelledPictures(splits.train, pictureOptions);
  const validation = labelledPictures(splits.validation, pictureOptions);
  const test = labelledPictures(splits.test, pictureOptions);
  if (options.preload === true) {
    await loadAll([
      [validation, false],
      [test, false],
      [train, true],
    ]);
  }
  return { name, classes, imageSize, channels: CHANNELS, train, validation, test };
}
