import {
  type Augmentation,
  type Dataset,
  type DetectionBatch,
  type DetectionPrompt,
  type PictureSize,
  type Splits,
  randomStream,
  sidesOf,
} from '@winnow/core';
import { toldGeometry } from '../grounded/told-data';
import { duplicateNotes, sharedPictures } from '../identity/duplicates';
import { namingAllBroken } from '../picture/broken';
import { begunCheck } from '../picture/check';
import { type ImageOptions, picturesFor } from '../picture/image-options';
import { CHANNELS } from '../picture/picture';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { wordTokenizer } from '../tokenizer/word-tokenizer';
import type { AnnotatedPicture, FoundDetection } from './found-detection';
import {
  type PromptWriter,
  drawnClasses,
  promptText,
  promptWriter,
  unknownNameNotes,
  wholePromptLength,
} from './prompts';

/** CLIP's. */
const LARGEST_DEFAULT_CONTEXT = 77;
/** The start token, one of a name, the end token. */
const SMALLEST_CONTEXT = 3;

export interface DetectionDataOptions extends Omit<ImageOptions, 'augmentation' | 'eraseProbability'> {
  /** Whether half of the training pictures are mirrored, with their boxes. Default true. */
  readonly varied?: boolean;
  /** Default: words and signs of the classes' names, made by `wordTokenizer`. */
  readonly tokenizer?: Tokenizer;
  /** Longest prompt in tokens, start and end included. Default: what the list of all classes needs, 77 at most. */
  readonly context?: number;
  /** Fills every prompt up to the context, for towers that read its last place. Default false. */
  readonly fillsContext?: boolean;
}

/** Pictures with objects of named classes, ready for a model of one input size. */
export interface DetectionData extends Splits<DetectionBatch> {
  readonly name: string;
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  readonly channels: number;
  readonly classes: readonly string[];
  /** Lists of classes that together name all of them, by which pictures are scored. */
  readonly prompts: readonly DetectionPrompt[];
  readonly tokenizer: Tokenizer;
  readonly vocabulary: number;
  readonly endToken: number;
  readonly context: number;
  /** A line each. */
  readonly notes: readonly string[];
  /** As for pictures with texts. @throws {DataError} when a file cannot be read. */
  duplicates(): Promise<readonly string[]>;
}

/**
 * Pictures with objects as data for training and evaluation. Pictures are squashed to their size. Training draws for each which classes
 * are asked for, by GLIP's rule; evaluation asks for those that are there and as many others as fit. Objects of classes that are
 * not asked for, and crowds, are not among those that are learned.
 * @throws {RangeError} on options outside their range. @throws {DataError} on broken files with `preload`, and for names of classes that
 * cannot be told apart.
 */
export async function detectionData(
  found: FoundDetection,
  options: DetectionDataOptions,
): Promise<DetectionData> {
  const { varied = true, fillsContext = false, imageSize } = options;
  const { classes } = found;
  const tokenizer = options.tokenizer ?? wordTokenizer([promptText(classes)]);
  const whole = Math.max(SMALLEST_CONTEXT, wholePromptLength(tokenizer, classes));
  const context = options.context ?? Math.min(LARGEST_DEFAULT_CONTEXT, whole);
  if (!(Number.isInteger(context) && context >= SMALLEST_CONTEXT))
    throw new RangeError(`expected a context of ${SMALLEST_CONTEXT} or more tokens, got ${context}`);
  const writer = promptWriter(tokenizer, classes, { context, fillsContext });
  const { train, validation, test } = found.splits;
  const pathsOf = (examples: readonly AnnotatedPicture[]) => [
    ...new Set(examples.map(({ picture }) => picture)),
  ];
  const paths = { train: pathsOf(train), validation: pathsOf(validation), test: pathsOf(test) };
  const { evaluationCropShare: _, ...prepared } = options;
  const geometry = { ...prepared, evaluationGeometry: toldGeometry(options) };
  const { contents, files, annotated } = found;
  const pictures = picturesFor(geometry, 'none', { paths, contents, files, annotated });
  const check = await begunCheck(pictures, { paths }, options.preload);
  const batchOf = batches(writer, classes.length, tokenizer.padToken);
  const datasetOf = (examples: readonly AnnotatedPicture[]): Dataset<DetectionBatch> => ({
    size: examples.length,
    batch: async (indices, augmentation) => {
      const own = indices.map((index) => {
        const example = examples[index];
        if (example === undefined)
          throw new RangeError(`expected an index below ${examples.length}, got ${index}`);
        return { index, example };
      });
      const images = await pictures.batch(
        own.map(({ example }, place) => ({ path: example.picture, example: place })),
      );
      return batchOf(own, images, imageSize, augmentation, varied);
    },
  });
  const dataset = (examples: readonly AnnotatedPicture[]) =>
    namingAllBroken({
      dataset: datasetOf(examples),
      paths: pathsOf(examples),
      load: (path) => pictures.load(path, false),
      check,
    });
  return {
    name: found.name,
    classes,
    prompts: writer.chunks,
    notes: [...found.notes, ...unknownNameNotes(tokenizer, classes)],
    duplicates: async () => duplicateNotes(await sharedPictures(paths, contents, options.pictureCache)),
    imageSize,
    channels: CHANNELS,
    tokenizer,
    vocabulary: tokenizer.vocabulary,
    endToken: tokenizer.endToken,
    context,
    train: dataset(train),
    validation: dataset(validation),
    test: dataset(test),
  };
}

interface Indexed {
  readonly index: number;
  readonly example: AnnotatedPicture;
}

/** Puts batches together from their pictures. */
function batches({ write }: PromptWriter, count: number, padToken: number) {
  const fits = (classes: readonly number[]): number => write(classes).named.length;
  const every = Array.from({ length: count }, (_, index) => index);
  const promptFor = ({ index, example }: Indexed, augmentation: Augmentation | undefined) => {
    const present = [
      ...new Set(example.objects.filter(({ isCrowd }) => !isCrowd).map((object) => object.index)),
    ].sort((a, b) => a - b);
    if (augmentation !== undefined) {
      const random = randomStream(augmentation.seed, 'prompt', augmentation.epoch, index);
      return write(drawnClasses(present, count, random, fits));
    }
    if (fits(every) === count) return write(every);
    const others = every.filter((own) => !present.includes(own));
    const chosen = [...present, ...others];
    return write(chosen.slice(0, fits(chosen)).sort((a, b) => a - b));
  };
  return (
    own: readonly Indexed[],
    images: Float32Array,
    imageSize: PictureSize,
    augmentation: Augmentation | undefined,
    varied: boolean,
  ): DetectionBatch => {
    const prompts = own.map((each) => promptFor(each, augmentation));
    const isMirrored = own.map(
      ({ index }) =>
        varied &&
        augmentation !== undefined &&
        randomStream(augmentation.seed, 'mirror', augmentation.epoch, index).integer(2) === 1,
    );
    const pixels = images.length / own.length;
    isMirrored.forEach((is, place) => {
      if (is) mirror(images.subarray(place * pixels, (place + 1) * pixels), sidesOf(imageSize).width);
    });
    const length = prompts.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
    const tokens = new Int32Array(own.length * length).fill(padToken);
    prompts.forEach((prompt, row) => tokens.set(prompt.tokens, row * length));
    const all = own.flatMap(({ example }, place) =>
      example.objects.map((object) => ({ example, object, place })),
    );
    const asked = all.flatMap(({ example, object, place }) => {
      const named = prompts[place]?.named.find(({ index }) => index === object.index);
      if (named === undefined || object.isCrowd) return [];
      const box = centredShares(object.box, example);
      const [x = 0, ...rest] = box;
      return [{ place, tokens: named.places, box: isMirrored[place] === true ? [1 - x, ...rest] : box }];
    });
    return {
      size: own.length,
      images,
      texts: own.length,
      tokens,
      objects: {
        boxes: Float32Array.from(asked.flatMap(({ box }) => box)),
        examples: Int32Array.from(asked, ({ place }) => place),
        tokens: asked.map((each) => each.tokens),
      },
      truths: {
        sizes: own.map(({ example: { height, width } }) => ({ height, width })),
        examples: Int32Array.from(all, ({ place }) => place),
        classes: Int32Array.from(all, ({ object }) => object.index),
        boxes: Float64Array.from(all.flatMap(({ object }) => [...object.box])),
        areas: Float64Array.from(all, ({ object }) => object.area),
        crowds: Uint8Array.from(all, ({ object }) => (object.isCrowd ? 1 : 0)),
      },
    };
  };
}

/** Centre x and y, width and height in shares of the picture. */
const centredShares = (
  [left, top, right, bottom]: AnnotatedPicture['objects'][number]['box'],
  { width, height }: AnnotatedPicture,
): number[] => [
  (left + right) / 2 / width,
  (top + bottom) / 2 / height,
  (right - left) / width,
  (bottom - top) / height,
];

/** Turns the pixels of a picture [H, W, C] around, in place. */
function mirror(pixels: Float32Array, width: number): void {
  const row = width * CHANNELS;
  for (let from = 0; from < pixels.length; from += row) {
    for (let column = 0; column < Math.floor(width / 2); column++) {
      const [one, other] = [from + column * CHANNELS, from + (width - 1 - column) * CHANNELS];
      for (let channel = 0; channel < CHANNELS; channel++) {
        const value = pixels[one + channel] ?? 0;
        pixels[one + channel] = pixels[other + channel] ?? 0;
        pixels[other + channel] = value;
      }
    }
  }
}
