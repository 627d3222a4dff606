import {
  type Dataset,
  type ImageTextData,
  type Model,
  type PairBatch,
  type PairLoss,
  type Task,
  randomStream,
  retrieval,
} from '@winnow/core';
import { sideBySide, stripesOf, toyShape } from './toy-data';

const { imageSize, channels, classes } = toyShape;

/** Words as token indices: an orientation each, a place each, and a word that says nothing. */
const start = 0;
const orientations = 1;
const places = orientations + classes;
const bright = places + imageSize;
const endToken = bright + 1;

/** The sizes on which the toy texts and the models for them agree. */
export const toyTextShape = { vocabulary: endToken + 1, context: 5, endToken } as const;

/**
 * The stripes of `toyData`, each with a text that says its orientation and its place: "row 3", or "bright row 3".
 * Pictures of which the same is said are one group, as their texts cannot be told apart.
 * @param options `fillsContext` makes every text as long as the context.
 */
export function toyPairs({
  seed = 0,
  size = 96,
  fillsContext = false,
}: { seed?: number; size?: number; fillsContext?: boolean } = {}): ImageTextData {
  const pairs = pairsOf(fillsContext);
  return {
    name: 'told-stripes',
    imageSize,
    channels,
    ...toyTextShape,
    train: pairs(seed, 'train', size),
    validation: pairs(seed, 'validation', size / 2),
    test: pairs(seed, 'test', size / 2),
  };
}

/** Retrieval between the toy pictures and their texts, by the contrastive loss unless another one is named. */
export function toyRetrieval(model: Pick<Model, 'forward'>, loss?: PairLoss): Task {
  return retrieval(model, { ...toyShape, loss });
}

const pairsOf =
  (fillsContext: boolean) =>
  (seed: number, split: string, size: number): Dataset<PairBatch> => {
    const exampleAt = stripesOf(seed, split);
    return {
      size,
      batch: (indices) => {
        const examples = indices.map(exampleAt);
        const texts = examples.map(({ orientation, place }, position) => {
          const isBright = randomStream(seed, 'text', split, indices[position] ?? 0).integer(2) === 1;
          return [start, ...(isBright ? [bright] : []), orientations + orientation, places + place, endToken];
        });
        const length = fillsContext ? toyTextShape.context : Math.max(...texts.map((text) => text.length));
        const tokens = new Int32Array(texts.length * length).fill(endToken);
        texts.forEach((text, row) => tokens.set(text, row * length));
        const groups = Int32Array.from(examples, ({ orientation, place }) => orientation * imageSize + place);
        return Promise.resolve({
          size: indices.length,
          images: sideBySide(examples),
          imageGroups: groups,
          texts: texts.length,
          tokens,
          textGroups: groups,
        });
      },
    };
  };
