import {
  type Dataset,
  type ImageBatch,
  type ImageClassificationData,
  type Model,
  type Task,
  classification,
  pictureInputs,
  picturesBetween,
  randomStream,
} from '@winnow/core';

/** The sizes on which the toy pictures and the models for them agree. */
export const toyShape = { imageSize: 8, channels: 1, classes: 3 } as const;

const { imageSize, channels, classes } = toyShape;
const pixels = imageSize * imageSize * channels;
const noise = 0.3;

/**
 * Pictures of a bright stripe in noise: a row, a column or a diagonal, at a random place; the class is the
 * orientation. Each picture is a function of the seed, its split and its index, so any batch can be asked for again.
 */
export function toyData({
  seed = 0,
  size = 96,
}: { seed?: number; size?: number } = {}): ImageClassificationData {
  return {
    name: 'stripes',
    classes: ['row', 'column', 'diagonal'],
    imageSize,
    channels,
    train: stripes(seed, 'train', size),
    validation: stripes(seed, 'validation', size / 2),
    test: stripes(seed, 'test', size / 2),
  };
}

/** Classification of the toy pictures. */
export function toyTask(model: Pick<Model, 'forward'>): Task {
  return classification(model, { inputs: pictureInputs(toyShape), classes, slice: picturesBetween });
}

function stripes(seed: number, split: string, size: number): Dataset<ImageBatch> {
  const exampleAt = stripesOf(seed, split);
  return {
    size,
    batch: (indices) => {
      const examples = indices.map(exampleAt);
      return Promise.resolve({
        size: indices.length,
        images: sideBySide(examples),
        labels: Int32Array.from(examples, ({ orientation }) => orientation),
      });
    },
  };
}

/** One picture [S, S, C], and what it shows. */
export interface Stripe {
  readonly picture: Float32Array;
  /** Index of the class: row, column, diagonal. */
  readonly orientation: number;
  /** Where it starts, below S. */
  readonly place: number;
}

/** The pictures of a split by index, each drawn once. */
export function stripesOf(seed: number, split: string): (index: number) => Stripe {
  const drawn = new Map<number, Stripe>();
  return (index) => {
    const example = drawn.get(index) ?? stripe(seed, split, index);
    drawn.set(index, example);
    return example;
  };
}

function stripe(seed: number, split: string, index: number): Stripe {
  const random = randomStream(seed, 'stripe', split, index);
  const place = random.integer(imageSize);
  const orientation = index % classes;
  const isBright = (row: number, column: number): boolean => {
    if (orientation === 0) return row === place;
    if (orientation === 1) return column === place;
    return (row + place) % imageSize === column;
  };
  const picture = Float32Array.from(
    { length: pixels },
    (_, pixel) =>
      noise * random.normal() + (isBright(Math.floor(pixel / imageSize), pixel % imageSize) ? 2 : 0),
  );
  return { picture, orientation, place };
}

/** The pictures of a batch, [B, S, S, C]. */
export function sideBySide(examples: readonly Stripe[]): Float32Array {
  const images = new Float32Array(examples.length * pixels);
  examples.forEach(({ picture }, position) => images.set(picture, position * pixels));
  return images;
}
