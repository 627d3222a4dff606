import {
  type Dataset,
  type ImageBatch,
  type Model,
  type PairBatch,
  type Splits,
  type Task,
  classification,
  pictureInputs,
  tokenInputs,
} from '@winnow/core';
import { toyShape } from './toy-data';
import { toyPairs, toyTextShape } from './toy-pairs';

type ToldBatch = ImageBatch & Pick<PairBatch, 'tokens' | 'texts'>;

/** The pictures of `toyPairs` with their texts, whose words for the orientation are hidden: the picture has to tell it. */
export function toyTold(options: { seed?: number; size?: number }, padding: number): Splits<ToldBatch> {
  const { train, validation, test } = toyPairs(options);
  const told = ({ size, batch }: Dataset<PairBatch>): Dataset<ToldBatch> => ({
    size,
    batch: async (indices, ...rest) => {
      const { size, images, imageGroups, texts, tokens } = await batch(indices, ...rest);
      const labels = Int32Array.from(imageGroups, (group) => Math.floor(group / toyShape.imageSize));
      return { size, images, labels, texts, tokens: withoutAnswers(tokens, tokens.length / texts, padding) };
    },
  });
  return { train: told(train), validation: told(validation), test: told(test) };
}

/** Words for orientations become the start token, and what follows the first end token becomes padding. */
function withoutAnswers(tokens: Int32Array, length: number, padding: number): Int32Array {
  return tokens.map((token, index) => {
    const before = tokens.subarray(index - (index % length), index);
    if (before.includes(toyTextShape.endToken)) return padding;
    return token >= 1 && token <= toyShape.classes ? 0 : token;
  });
}

/** Telling the orientation of a picture by a model that is given its text too. */
export function toyToldTask(model: Pick<Model, 'forward'>): Task {
  const picturesOf = pictureInputs(toyShape);
  return classification(model, {
    inputs: (batch: ToldBatch) => ({ ...picturesOf(batch), ...tokenInputs(batch) }),
    classes: toyShape.classes,
  });
}
