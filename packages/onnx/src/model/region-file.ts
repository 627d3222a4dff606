import { type AnyDenseModel, type UniterConfig, uniterFamily } from '@winnow/core';
import type { NamedTensorMap, Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { PartDescription } from './part';
import { givenAt, matrixIn, textPort, tokensIn, valuesPort } from './ports';

/**
 * The file of a UNITER: texts and the regions of a picture each, what they show (`visual_feats`), where they are (`visual_pos`), and which of
 * them are there (`visual_mask`, 1 or 0), give `logits`. All pictures have as many places for regions as the account is about.
 */
export function regionFile({ text, regions }: UniterConfig): PartDescription {
  const { count, features, places } = regions;
  return {
    name: 'model',
    inputs: [
      textPort(text),
      valuesPort('visual_feats', [count, features]),
      valuesPort('visual_pos', [count, places]),
      valuesPort('visual_mask', [count]),
    ],
    texts: text,
    answer: (any, inputs, hooks = {}) => {
      const { model, params } = uniterIn(any);
      const { logits } = model.forward(params, {
        tokens: tokensIn(inputs),
        features: regionsIn(inputs, 'visual_feats'),
        places: regionsIn(inputs, 'visual_pos'),
        counts: matrixIn(inputs, 'visual_mask'),
        ...hooks,
      });
      return { logits };
    },
  };
}

/** [B, R, N] */
function regionsIn(inputs: NamedTensorMap, name: string): Tensor3D {
  const given = givenAt(inputs, name);
  if (isOfThree(given)) return given;
  throw new RangeError(`expected ${name} [B, R, N], got ${given.rank} axes`);
}

const isOfThree = (tensor: Tensor): tensor is Tensor3D => tensor.rank === 3;

function uniterIn(any: AnyDenseModel) {
  if (uniterFamily.holds(any)) return any;
  throw new RangeError(`expected a uniter, got a ${any.kind}`);
}
