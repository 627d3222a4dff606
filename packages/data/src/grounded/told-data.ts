import {
  type Dataset,
  type PictureGeometry,
  type PictureSize,
  type RegionBox,
  type Splits,
  sidesOf,
} from '@winnow/core';
import { duplicateNotes, sharedPictures } from '../identity/duplicates';
import type { PictureContents } from '../identity/picture-contents';
import { namingAllBroken } from '../picture/broken';
import { begunCheck } from '../picture/check';
import { type ImageOptions, picturesFor } from '../picture/image-options';
import { CHANNELS } from '../picture/picture';
import type { PreparedPictures } from '../picture/prepared';
import type { PictureFiles } from '../picture/read';
import type { AnnotatedSides } from '../picture/wanted';
import { encodeAll } from '../tokenizer/encode-all';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { wordTokenizer } from '../tokenizer/word-tokenizer';

/** CLIP's. */
const LARGEST_DEFAULT_CONTEXT = 77;
/** The start token, one of the text, the end token. */
const SMALLEST_CONTEXT = 3;

const plainGeometry = { interpolation: 'bilinear', arithmetic: 'pillow', halves: 'down' } as const;

/** The whole picture, whatever its proportions: boxes are shares of its sides. */
export const toldGeometry = ({
  imageSize,
  evaluationGeometry,
}: Pick<ImageOptions, 'imageSize' | 'evaluationGeometry'>): PictureGeometry => ({
  ...(evaluationGeometry ?? plainGeometry),
  resize: { kind: 'squash', ...sidesOf(imageSize) },
});

/** A picture, or two, and a text about it. */
export interface ToldPicture {
  readonly picture: string;
  /** A second one, to the right of it; all examples of some data have one, or none. */
  readonly right?: string;
  readonly text: string;
}

/** Its pictures, the left one first. */
export const shownIn = ({ picture, right }: ToldPicture): readonly string[] =>
  right === undefined ? [picture] : [picture, right];

/** An object of a class. */
export interface ClassedObject {
  readonly box: RegionBox;
  /** Its class among the names. */
  readonly index: number;
}

/** A question about a picture, and its answer by its place. */
export interface AskedOfPicture {
  readonly picture: string;
  readonly text: string;
  readonly answer: number;
}

/** Questions about pictures with one answer each. */
export interface PictureQuestions {
  /** All answers that there are. */
  readonly answers: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly AskedOfPicture[]>>;
}

/** Examples as the data splits them. */
export interface FoundTold<Example extends ToldPicture> {
  readonly name: string;
  /** Notes for a person on how they were found, a line each. */
  readonly notes: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly Example[]>>;
  /** Texts of the training that are no example's own, and have words too. */
  readonly alsoSaid?: readonly string[];
  readonly contents: PictureContents;
  /** Boxes of the objects in a picture, where they are known. */
  objectsIn?(picture: string): readonly RegionBox[];
  /** Classes of the objects in a picture, where they are known. */
  readonly regionClasses?: {
    readonly names: readonly string[];
    objectsIn(picture: string): readonly ClassedObject[];
  };
  /** Makes questions about the pictures, where they are known. */
  questions?(): PictureQuestions;
  /** Where the files of the pictures come from. Default: the disk. */
  readonly files?: PictureFiles;
  /** Where files say it: pictures of other proportions are refused. */
  readonly annotated?: AnnotatedSides;
}

export interface ToldPictureOptions extends ImageOptions {
  /** Default: words and signs of the training texts, made by `wordTokenizer`. */
  readonly tokenizer?: Tokenizer;
  /** Longest text in tokens, start and end included; longer ones are cut. Default: as for pictures with texts. */
  readonly context?: number;
  /** Fills every text up to the context, for towers that read its last place. Default false. */
  readonly fillsContext?: boolean;
}

/** Texts about what an example shows, in host memory. */
export interface ToldTexts {
  /** B: the number of examples, and of texts. */
  readonly size: number;
  readonly texts: number;
  /** Token indices, [B, T] with the T that the longest text of the batch needs. */
  readonly tokens: Int32Array;
}

/** Pictures with a text each, in host memory. */
export interface ToldBatch extends ToldTexts {
  /** Normalised pixels, [B, H, W, C] in row-major order; [2·B, H, W, C] where an example has two pictures. */
  readonly images: Float32Array;
}

/**
 * The way of a split's pictures into its batches.
 * @param paths All pictures of the split.
 */
export type Showing<Shown> = (
  pictures: PreparedPictures,
  paths: readonly string[],
) => (examples: readonly ToldPicture[]) => Promise<Shown>;

/** Pictures with a text each, and what a person should know about how they were found. */
export interface TokenizedToldData<Batch> extends Splits<Batch> {
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

/** The reading of texts. */
export interface TextReading {
  readonly tokenizer: Tokenizer;
  readonly context: number;
}

/**
 * Pictures with a text each as data for training and evaluation. Pictures are squashed to their size and never varied: what texts say
 * of places, and boxes, would have to move along.
 * @param batchOf What a batch has beside pictures and tokens.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export const toldData = <Example extends ToldPicture, Own extends object>(
  found: FoundTold<Example>,
  options: ToldPictureOptions,
  batchOf: (examples: readonly Example[], reading: TextReading) => Own,
): Promise<TokenizedToldData<ToldBatch & Own>> => shownData(found, options, batchOf, pixels);

const pixels: Showing<Pick<ToldBatch, 'images'>> = (pictures) => async (examples) => ({
  images: await pictures.batch(
    examples.flatMap((example, place) => shownIn(example).map((path) => ({ path, example: place }))),
  ),
});

/** The same with something else in place of the pixels of pictures. */
export async function shownData<Example extends ToldPicture, Own extends object, Shown extends object>(
  found: FoundTold<Example>,
  options: ToldPictureOptions,
  batchOf: (examples: readonly Example[], reading: TextReading) => Own,
  showing: Showing<Shown>,
): Promise<TokenizedToldData<ToldTexts & Shown & Own>> {
  const { augmentation = 'none', fillsContext = false } = options;
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
  const textsOf = (examples: readonly Example[]) => examples.map(({ text }) => text);
  const picturesOf = (examples: readonly Example[]) => [...new Set(examples.flatMap(shownIn))];
  const tokenizer = options.tokenizer ?? wordTokenizer([...textsOf(train), ...(found.alsoSaid ?? [])]);
  const longest = train.reduce(
    (most, { text }) => Math.max(most, tokenizer.encode(text, LARGEST_DEFAULT_CONTEXT).length),
    SMALLEST_CONTEXT,
  );
  const context = options.context ?? (options.tokenizer === undefined ? longest : LARGEST_DEFAULT_CONTEXT);
  const paths = { train: picturesOf(train), validation: picturesOf(validation), test: picturesOf(test) };
  const { evaluationCropShare: _, ...prepared } = options;
  const evaluationGeometry = toldGeometry(options);
  const pictures = picturesFor({ ...prepared, evaluationGeometry }, 'none', {
    paths,
    contents: found.contents,
    files: found.files,
    annotated: found.annotated,
  });
  const check = await begunCheck(pictures, { paths }, options.preload);
  const datasetOf = (examples: readonly Example[]): Dataset<ToldTexts & Shown & Own> => {
    const show = showing(pictures, picturesOf(examples));
    return {
      size: examples.length,
      batch: async (indices) => {
        const own = indices.map((index) => {
          const example = examples[index];
          if (example === undefined)
            throw new RangeError(`expected an index below ${examples.length}, got ${index}`);
          return example;
        });
        const { tokens } = encodeAll(tokenizer, textsOf(own), context, { fillsContext });
        const told = { size: own.length, texts: own.length, tokens };
        return { ...told, ...(await show(own)), ...batchOf(own, { tokenizer, context }) };
      },
    };
  };
  const dataset = (examples: readonly Example[]) =>
    namingAllBroken({
      dataset: datasetOf(examples),
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
