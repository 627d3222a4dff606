import type { ImageClassificationData, Splits } from '@winnow/core';
import type { AugmentationPreset } from '../augmentation/policy';
import { duplicateNotes, sharedPictures } from '../identity/duplicates';
import type { PictureContents } from '../identity/picture-contents';
import { namingAllBroken } from '../picture/broken';
import { begunCheck } from '../picture/check';
import { type ImageOptions, picturesFor } from '../picture/image-options';
import { CHANNELS } from '../picture/picture';
import type { PictureFiles } from '../picture/read';
import { inShards } from '../shard/order';
import type { BrokenPicture } from '../unlabelled/find-pictures';
import { type LabelledPicture, labelledPictures } from './labelled-pictures';

/** Labelled pictures, and what a person should know about how they were found. */
export type FoundImageClassificationData = ImageClassificationData & {
  /** A line each: what was passed over and why, which split serves as which. */
  readonly notes: readonly string[];
  /** Broken pictures that were left out, as was asked for. */
  readonly skipped: readonly BrokenPicture[];
  /**
   * Tells which pictures are in several splits, a line for two splits; nothing where none is. It reads every file whose hash
   * is not in the picture cache.
   * @throws {DataError} when a file cannot be read.
   */
  duplicates(): Promise<readonly string[]>;
};

export interface LabelledSplits {
  readonly name: string;
  readonly notes: readonly string[];
  readonly classes: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly LabelledPicture[]>>;
  readonly contents: PictureContents;
  /** Where the files of the pictures come from. Default: the disk. */
  readonly files?: PictureFiles;
  /** The number of the shard that a picture is in, where they are in shards: it decides in which order they are trained on. */
  readonly shardOf?: (path: string) => number;
  /** Broken pictures that were left out. Default: none. */
  readonly skipped?: readonly BrokenPicture[];
}

const pathsOf = (examples: readonly LabelledPicture[]): string[] => examples.map(({ path }) => path);

/**
 * Picture files, split and labelled, as data for training and evaluation.
 * @throws {RangeError} on options outside their range. @throws {DataError} on broken files, with `preload`.
 */
export async function classificationData(
  {
    name,
    notes,
    classes,
    splits: { train, validation, test },
    contents,
    files,
    shardOf,
    skipped = [],
  }: LabelledSplits,
  options: ImageOptions,
  defaultAugmentation: AugmentationPreset,
): Promise<FoundImageClassificationData> {
  const paths = { train: pathsOf(train), validation: pathsOf(validation), test: pathsOf(test) };
  const pictures = picturesFor(options, defaultAugmentation, { paths, contents, files });
  const check = await begunCheck(pictures, { paths }, options.preload);
  const dataset = (examples: readonly LabelledPicture[]) =>
    namingAllBroken({
      dataset: inShards(labelledPictures(examples, pictures), pathsOf(examples), shardOf),
      paths: pathsOf(examples),
      load: (path) => pictures.load(path, false),
      check,
    });
  return {
    name,
    notes,
    skipped,
    duplicates: async () => duplicateNotes(await sharedPictures(paths, contents, options.pictureCache)),
    classes,
    imageSize: options.imageSize,
    channels: CHANNELS,
    train: dataset(train),
    validation: dataset(validation),
    test: dataset(test),
  };
}
