import {
  type Dataset,
  type ImageBatch,
  type ImageClassificationData,
  type Model,
  type Task,
  classification,
  randomStream,
} from '@winnow/core';

/** What the toy pictures and the models for them agree on. */
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
  return classification(model, toyShape);
}

function stripes(seed: number, split: string, size: number): Dataset<ImageBatch> {
  return {
    size,
    batch: (indices) => {
      const images = new Float32Array(indices.length * pixels);
      indices.forEach((index, position) => images.set(stripe(seed, split, index), position * pixels));
      const labels = Int32Array.from(indices, (index) => index % classes);
      return Promise.resolve({ size: indices.length, images, labels });
    },
  };
}

function stripe(seed: number, split: string, index: number): Float32Array {
  const random = randomStream(seed, 'stripe', split, index);
  const place = random.integer(imageSize);
  const isBright = (row: number, column: number): boolean => {
    if (index % classes === 0) return row === place;
    if (index % classes === 1) return column === place;
    return (row + place) % imageSize === column;
  };
  return Float32Array.from(
    { length: pixels },
    (_, pixel) =>
      noise * random.normal() + (isBright(Math.floor(pixel / imageSize), pixel % imageSize) ? 2 : 0),
  );
}
