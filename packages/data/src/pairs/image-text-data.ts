import type { ImageTextData, Splits } from '@winnow/core';
import type { AugmentationPreset } from '../augmentation/policy';
import { duplicateNotes, sharedPictures } from '../identity/duplicates';
import { namingAllBroken } from '../picture/broken';
import { begunCheck } from '../picture/check';
import { type ImageOptions, picturesFor } from '../picture/image-options';
import { CHANNELS } from '../picture/picture';
import { inShards } from '../shard/order';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { wordTokenizer } from '../tokenizer/word-tokenizer';
import type { PairGroup } from './group';
import { pairDataset } from './pair-dataset';
import { type FoundPairs, type SetAsideOptions, completeSplits, madeUp } from './splits';

/** CLIP's. */
const LARGEST_DEFAULT_CONTEXT = 77;
/** The start token, one of the text, the end token. */
const SMALLEST_CONTEXT = 3;

export interface ImageTextOptions extends ImageOptions, SetAsideOptions {
  /** Default: words and signs of the training texts, made by `wordTokenizer`. */
  readonly tokenizer?: Tokenizer;
  /**
   * Longest text in tokens, start and end included; longer ones are cut. Default: 77 for a given tokenizer, otherwise
   * what the longest training text needs, at most 77.
   */
  readonly context?: number;
  /** Fills every text up to the context, for towers that read its last place (SigLIP). Default false. */
  readonly fillsContext?: boolean;
  /** The folder below which the pictures lie, for data that names them in a file. The default depends on the format. */
  readonly images?: string;
}

/** Pictures with texts, what their tokens mean, and what a person should know about how they were found. */
export type TokenizedImageTextData = ImageTextData & {
  readonly tokenizer: Tokenizer;
  /** All texts of each split. */
  readonly texts: Readonly<Record<keyof Splits<unknown>, readonly string[]>>;
  /** A line each: which split serves as which, say. */
  readonly notes: readonly string[];
  /**
   * Tells which pictures are in several splits, a line for two splits; nothing where none is. It reads every file whose hash
   * is not in the picture cache.
   * @throws {DataError} when a file cannot be read.
   */
  duplicates(): Promise<readonly string[]>;
};

const picturesOf = (groups: readonly PairGroup[]): string[] => groups.flatMap(({ pictures }) => pictures);
const textsOf = (groups: readonly PairGroup[]): string[] => groups.flatMap(({ texts }) => texts);

function longest(texts: readonly string[], tokenizer: Tokenizer): number {
  let context = SMALLEST_CONTEXT;
  for (const text of texts) {
    context = Math.max(context, tokenizer.encode(text, LARGEST_DEFAULT_CONTEXT).length);
  }
  return context;
}

/**
 * Groups of pictures and texts as data for training and evaluation. A split that is missing is set aside from training.
 * @throws {RangeError} on options outside their range.
 * @throws {DataError} on too few groups, and on broken files with `preload`.
 */
export async function imageTextData(
  found: FoundPairs,
  options: ImageTextOptions,
  defaultAugmentation: AugmentationPreset,
): Promise<TokenizedImageTextData> {
  if (
    options.context !== undefined &&
    !(Number.isInteger(options.context) && options.context >= SMALLEST_CONTEXT)
  ) {
    throw new RangeError(`expected a context of ${SMALLEST_CONTEXT} or more tokens, got ${options.context}`);
  }
  const { train, validation, test } = completeSplits(found, options);
  const trainingTexts = textsOf(train);
  const tokenizer = options.tokenizer ?? wordTokenizer(trainingTexts);
  const context =
    options.context ??
    (options.tokenizer === undefined ? longest(trainingTexts, tokenizer) : LARGEST_DEFAULT_CONTEXT);
  const { fillsContext = false } = options;
  const paths = { train: picturesOf(train), validation: picturesOf(validation), test: picturesOf(test) };
  const pictures = picturesFor(options, defaultAugmentation, {
    paths,
    contents: found.contents,
    files: found.files,
  });
  const check = await begunCheck(pictures, { paths }, options.preload);
  const dataset = (groups: readonly PairGroup[]) =>
    namingAllBroken({
      dataset: inShards(
        pairDataset(groups, { pictures, tokenizer, context, fillsContext }),
        groups.map(({ pictures: [first = ''] }) => first),
        found.shardOf,
      ),
      paths: picturesOf(groups),
      load: (path) => pictures.load(path, false),
      check,
    });
  return {
    name: found.name,
    notes: [...found.notes, ...madeUp(found.splits, { train, validation, test })],
    duplicates: async () => duplicateNotes(await sharedPictures(paths, found.contents, options.pictureCache)),
    imageSize: options.imageSize,
    channels: CHANNELS,
    tokenizer,
    texts: { train: trainingTexts, validation: textsOf(validation), test: textsOf(test) },
    vocabulary: tokenizer.vocabulary,
    endToken: tokenizer.endToken,
    context,
    train: dataset(train),
    validation: dataset(validation),
    test: dataset(test),
  };
}
