import {
  type AnyDenseModel,
  type LxmertConfig,
  type Prediction,
  type RegionInputs,
  type UniterConfig,
  lxmertFamily,
  uniterFamily,
} from '@winnow/core';
import { type NamedTensorMap, type Tensor, type Tensor3D, reshape } from '@tensorflow/tfjs-core';
import type { PartDescription } from './part';
import { givenAt, matrixIn, textPort, tokensIn, valuesPort } from './ports';

/**
 * The file of a UNITER or an LXMERT: texts and the regions of a picture each, what they show (`visual_feats`), where they are (`visual_pos`),
 * and which of them are there (`visual_mask`, 1 or 0), give `logits`; of an LXMERT also the states of its stream of regions (`regions`
 * [B, R, D]), which its head does not read. All pictures have as many places for regions as the account is about.
 */
export function regionFile(config: UniterConfig | LxmertConfig): PartDescription {
  const { text } = config;
  const { features, places } = lxmertFamily.is(config) ? config.vision : config.regions;
  const count = lxmertFamily.is(config) ? config.vision.regions : config.regions.count;
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
      const given = {
        tokens: tokensIn(inputs),
        features: regionsIn(inputs, 'visual_feats'),
        places: regionsIn(inputs, 'visual_pos'),
        counts: matrixIn(inputs, 'visual_mask'),
        ...hooks,
      };
      const { logits, regions } = predicted(any, given);
      if (logits === undefined) throw new RangeError('expected logits');
      return {
        logits,
        ...(regions === undefined ? {} : { regions: reshape(regions, [-1, count, config.embedDim]) }),
      };
    },
  };
}

/** What the file says of both. */
function predicted(any: AnyDenseModel, inputs: RegionInputs): Prediction {
  if (lxmertFamily.holds(any)) return any.model.forward(any.params, inputs);
  if (uniterFamily.holds(any)) return { logits: any.model.forward(any.params, inputs).logits };
  throw new RangeError(`expected a uniter or an lxmert, got a ${any.kind}`);
}

/** [B, R, N] */
function regionsIn(inputs: NamedTensorMap, name: string): Tensor3D {
  const given = givenAt(inputs, name);
  if (isOfThree(given)) return given;
  throw new RangeError(`expected ${name} [B, R, N], got ${given.rank} axes`);
}

const isOfThree = (tensor: Tensor): tensor is Tensor3D => tensor.rank === 3;
