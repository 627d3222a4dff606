import {
  type Dataset,
  type GroundingBatch,
  type PictureGeometry,
  type PictureSize,
  type Splits,
  sidesOf,
} from '@winnow/core';
import { duplicateNotes, sharedPictures } from '../identity/duplicates';
import { namingAllBroken } from '../picture/broken';
import { begunCheck } from '../picture/check';
import { type ImageOptions, picturesFor } from '../picture/image-options';
import { CHANNELS } from '../picture/picture';
import type { PreparedPictures } from '../picture/prepared';
import { encodeAll } from '../tokenizer/encode-all';
import { spanTokens } from '../tokenizer/span-tokens';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { wordTokenizer } from '../tokenizer/word-tokenizer';
import type { FoundGroundings, GroundedExample, GroundedObject } from './grounded-example';

/** CLIP's. */
const LARGEST_DEFAULT_CONTEXT = 77;
/** The start token, one of the text, the end token. */
const SMALLEST_CONTEXT = 3;

const plainGeometry = { interpolation: 'bilinear', arithmetic: 'pillow', halves: 'down' } as const;

export interface GroundingDataOptions extends ImageOptions {
  /** Default: words and signs of the training texts, made by `wordTokenizer`. */
  readonly tokenizer?: Tokenizer;
  /** Longest text in tokens, start and end included; longer ones are cut. Default: as for pictures with texts. */
  readonly context?: number;
  /** Fills every text up to the context, for towers that read its last place. Default false. */
  readonly fillsContext?: boolean;
}

/** Pictures with texts and the boxes of what they name, and what a person should know about how they were found. */
export interface TokenizedGroundingData extends Splits<GroundingBatch> {
  readonly name: string;
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  readonly channels: number;
  readonly tokenizer: Tokenizer;
  readonly vocabulary: number;
  readonly endToken: number;
  /** Tokens of the longest text, start and end included. */
  readonly context: number;
  /** All texts of each split. */
  readonly texts: Readonly<Record<keyof Splits<unknown>, readonly string[]>>;
  /** A line each. */
  readonly notes: readonly string[];
  /** As for pictures with texts. @throws {DataError} when a file cannot be read. */
  duplicates(): Promise<readonly string[]>;
}

/** Left, top, right and bottom → centre x and y, width and height. */
const centred = ({ box: [left, top, right, bottom] }: GroundedObject): readonly number[] => [
  (left + right) / 2,
  (top + bottom) / 2,
  right - left,
  bottom - top,
];

interface Reading {
  readonly pictures: Pick<PreparedPictures, 'batch'>;
  readonly tokenizer: Tokenizer;
  readonly context: number;
  readonly fillsContext: boolean;
}

/**
 * A dataset of grounded texts; pictures are never varied, as their boxes would have to move along.
 * Batches fail with a {@link DataError} that names a broken file, or a {@link RangeError} for an index out of range.
 */
export function groundedTexts(
  examples: readonly GroundedExample[],
  { pictures, tokenizer, context, fillsContext }: Reading,
): Dataset<GroundingBatch> {
  const at = (index: number): GroundedExample => {
    const example = examples[index];
    if (example === undefined)
      throw new RangeError(`expected an index below ${examples.length}, got ${index}`);
    return example;
  };
  const tokensOf = (text: string, { spans }: GroundedObject): Int32Array =>
    Int32Array.from(new Set(spans.flatMap((span) => spanTokens(tokenizer, text, span, context))));
  return {
    size: examples.length,
    batch: async (indices) => {
      const own = indices.map(at);
      const images = await pictures.batch(
        own.map(({ picture }, place) => ({ path: picture, example: place })),
      );
      const { tokens } = encodeAll(
        tokenizer,
        own.map(({ text }) => text),
        context,
        { fillsContext },
      );
      const named = own.flatMap(({ text, objects }, example) =>
        objects.map((object) => ({ text, object, example })),
      );
      return {
        size: own.length,
        images,
        texts: own.length,
        tokens,
        objects: {
          boxes: Float32Array.from(named.flatMap(({ object }) => centred(object))),
          examples: Int32Array.from(named, ({ example }) => example),
          tokens: named.map(({ text, object }) => tokensOf(text, object)),
        },
      };
    },
  };
}

/**
 * Grounded texts as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export async function groundingData(
  found: FoundGroundings,
  options: GroundingDataOptions,
): Promise<TokenizedGroundingData> {
  const { augmentation = 'none' } = options;
  if (augmentation !== 'none') {
    throw new RangeError('expected no augmentation: boxes would have to move along with the pictures');
  }
  if (
    options.context !== undefined &&
    !(Number.isInteger(options.context) && options.context >= SMALLEST_CONTEXT)
  ) {
    throw new RangeError(`expected a context of ${SMALLEST_CONTEXT} or more tokens, got ${options.context}`);
  }
  const { train, validation, test } = found.splits;
  const textsOf = (examples: readonly GroundedExample[]) => examples.map(({ text }) => text);
  const picturesOf = (examples: readonly GroundedExample[]) => [
    ...new Set(examples.map(({ picture }) => picture)),
  ];
  const tokenizer = options.tokenizer ?? wordTokenizer(textsOf(train));
  const longest = train.reduce(
    (most, { text }) => Math.max(most, tokenizer.encode(text, LARGEST_DEFAULT_CONTEXT).length),
    SMALLEST_CONTEXT,
  );
  const context = options.context ?? (options.tokenizer === undefined ? longest : LARGEST_DEFAULT_CONTEXT);
  const paths = { train: picturesOf(train), validation: picturesOf(validation), test: picturesOf(test) };
  const { height, width } = sidesOf(options.imageSize);
  const { evaluationCropShare: _, ...prepared } = options;
  // The whole picture, whatever its proportions: boxes are shares of its sides.
  const evaluationGeometry: PictureGeometry = {
    ...(options.evaluationGeometry ?? plainGeometry),
    resize: { kind: 'squash', height, width },
  };
  const pictures = picturesFor({ ...prepared, evaluationGeometry }, 'none', {
    paths,
    contents: found.contents,
    files: found.files,
  });
  const check = await begunCheck(pictures, { paths }, options.preload);
  const dataset = (examples: readonly GroundedExample[]) =>
    namingAllBroken({
      dataset: groundedTexts(examples, {
        pictures,
        tokenizer,
        context,
        fillsContext: options.fillsContext ?? false,
      }),
      paths: picturesOf(examples),
      load: (path) => pictures.load(path, false),
      check,
    });
  return {
    name: found.name,
    notes: found.notes,
    duplicates: async () => duplicateNotes(await sharedPictures(paths, found.contents, options.pictureCache)),
    imageSize: options.imageSize,
    channels: CHANNELS,
    tokenizer,
    texts: { train: textsOf(train), validation: textsOf(validation), test: textsOf(test) },
    vocabulary: tokenizer.vocabulary,
    endToken: tokenizer.endToken,
    context,
    train: dataset(train),
    validation: dataset(validation),
    test: dataset(test),
  };
}
