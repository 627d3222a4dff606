import {
  type Dataset,
  type GroundingBatch,
  type Model,
  type PairBatch,
  type Splits,
  type Task,
  grounding,
} from '@winnow/core';
import { toyShape } from './toy-data';
import { toyPairs, toyTextShape } from './toy-pairs';

const { imageSize } = toyShape;

/** Centre x and y, width and height of a stripe: a row, a column, or the whole picture for a diagonal. */
function boxOf(orientation: number, place: number): readonly number[] {
  const [middle, thickness] = [(place + 0.5) / imageSize, 1 / imageSize];
  if (orientation === 0) return [0.5, middle, 1, thickness];
  return orientation === 1 ? [middle, 0.5, thickness, 1] : [0.5, 0.5, 1, 1];
}

/** The pictures of `toyPairs` with their texts, which name the stripe: its words are the two before the end. */
export function toyGrounding(options: { seed?: number; size?: number }): Splits<GroundingBatch> {
  const { train, validation, test } = toyPairs(options);
  const grounded = ({ size, batch }: Dataset<PairBatch>): Dataset<GroundingBatch> => ({
    size,
    batch: async (indices, ...rest) => {
      const { size, images, imageGroups, texts, tokens } = await batch(indices, ...rest);
      const length = tokens.length / texts;
      return {
        size,
        images,
        texts,
        tokens,
        objects: {
          boxes: Float32Array.from(
            [...imageGroups].flatMap((group) => boxOf(Math.floor(group / imageSize), group % imageSize)),
          ),
          examples: Int32Array.from(imageGroups, (_, example) => example),
          tokens: [...imageGroups.keys()].map((example) => {
            const end = tokens
              .subarray(example * length, (example + 1) * length)
              .indexOf(toyTextShape.endToken);
            return Int32Array.of(end - 2, end - 1);
          }),
        },
      };
    },
  });
  return { train: grounded(train), validation: grounded(validation), test: grounded(test) };
}

/** Finding the stripes that texts name. */
export const toyGroundingTask = (model: Pick<Model, 'forward'>): Task =>
  grounding(model, { ...toyShape, endToken: toyTextShape.endToken });
