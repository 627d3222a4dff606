import {
  type AnyDenseModel,
  type LxmertConfig,
  type Prediction,
  type RegionInputs,
  type UniterConfig,
  UserError,
  headOfLxmert,
  lxmertFamily,
  uniterFamily,
} from '@winnow/core';
import {
  type NamedTensorMap,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  reshape,
  transpose,
} from '@tensorflow/tfjs-core';
import type { PartDescription } from './part';
import { givenAt, matrixIn, textPort, tokensIn, valuesPort } from './ports';

/**
 * The file of a UNITER or an LXMERT: texts and the regions of a picture each, what they show (`visual_feats`), where they are (`visual_pos`),
 * and which of them are there (`visual_mask`, 1 or 0), give `logits`: of answers, of false and true, or of each region, far below all others
 * where there is none; of an LXMERT also the states of a stream that its head does not read (`regions` [B, R, D], or `words` [B, T, D]). Of two
 * pictures regions are [B, 2, R, F]. All pictures have as many places for regions as the account is about.
 * @throws {UserError} for a head for pre-training.
 */
export function regionFile(config: UniterConfig | LxmertConfig): PartDescription {
  const { text } = config;
  const head = uniterFamily.is(config) ? config.head : headOfLxmert(config);
  if (head.kind === 'pre-training')
    throw new UserError(
      `ONNX: a ${config.kind} for pre-training guesses what is hidden of words and regions, which helps it to learn and which nobody asks later: there are no files of it`,
    );
  const { features, places } = lxmertFamily.is(config) ? config.vision : config.regions;
  const count = lxmertFamily.is(config) ? config.vision.regions : config.regions.count;
  const regions = head.kind === 'statements' ? [2, count] : [count];
  return {
    name: 'model',
    inputs: [
      textPort(text),
      valuesPort('visual_feats', [...regions, features]),
      valuesPort('visual_pos', [...regions, places]),
      valuesPort('visual_mask', regions),
    ],
    texts: text,
    answer: (any, inputs, hooks = {}) => {
      const given = {
        tokens: tokensIn(inputs),
        features: ofEachRegion(inputs, 'visual_feats'),
        places: ofEachRegion(inputs, 'visual_pos'),
        counts: ofEachPicture(inputs, 'visual_mask'),
        ...hooks,
      };
      return predicted(any, given, config);
    },
  };
}

/** All that the file says. */
function predicted(
  any: AnyDenseModel,
  inputs: RegionInputs,
  { embedDim: D }: { readonly embedDim: number },
): NamedTensorMap {
  if (uniterFamily.holds(any)) return { logits: any.model.forward(any.params, inputs).logits };
  if (!lxmertFamily.holds(any)) throw new RangeError(`expected a uniter or an lxmert, got a ${any.kind}`);
  const { logits, regions, words }: Prediction = any.model.forward(any.params, inputs);
  if (logits === undefined) throw new RangeError('expected logits');
  const [batch, tokens] = inputs.tokens.shape;
  const [pictures, count] = inputs.features.shape;
  return {
    logits,
    ...(words === undefined ? {} : { words: reshape(words, [batch, tokens, D]) }),
    ...(regions === undefined ? {} : { regions: regionsFrom(regions, [pictures / batch, batch, count, D]) }),
  };
}

/** Of one picture [B·R, D] → [B, R, D]; of two, the first one's of all examples before the second one's, [2·B·R, D] → [B, 2, R, D]. */
function regionsFrom(
  states: Tensor,
  [pictures, batch, count, D]: readonly [pictures: number, batch: number, count: number, D: number],
): Tensor {
  if (pictures === 1) return reshape(states, [batch, count, D]);
  return transpose(reshape(states, [pictures, batch, count, D]), [1, 0, 2, 3]);
}

/** [B, R, N]; of two pictures [B, 2, R, N] → [2·B, R, N]. */
function ofEachRegion(inputs: NamedTensorMap, name: string): Tensor3D {
  const given = givenAt(inputs, name);
  const [count = 1, width = 1] = given.shape.slice(-2);
  const each = given.rank === 4 ? reshape(given, [-1, count, width]) : given;
  if (isOfThree(each)) return each;
  throw new RangeError(`expected ${name} [B, R, N], got ${given.rank} axes`);
}

/** [B, R]; of two pictures [B, 2, R] → [2·B, R]. */
function ofEachPicture(inputs: NamedTensorMap, name: string): Tensor2D {
  const given = givenAt(inputs, name);
  return given.rank === 3 ? reshape(given, [-1, given.shape[2] ?? 1]) : matrixIn(inputs, name);
}

const isOfThree = (tensor: Tensor): tensor is Tensor3D => tensor.rank === 3;
