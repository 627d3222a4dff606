import {
  type AnyDenseModel,
  type LxmertConfig,
  type Prediction,
  type RegionInputs,
  type UniterConfig,
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
 * pictures regions are [B, 2, R, F]. For pre-training it is also told which regions are hidden (`visual_hidden`, 1 or 0), and gives `logits`
 * [B, 2] of not belonging together and of belonging, `words` [B, T, V], `regions` [B, R, F], and `classes` [B, R, C] and `answers` [B, A] of a model that tells them.
 * All pictures have as many places for regions as the account is about.
 */
export function regionFile(config: UniterConfig | LxmertConfig): PartDescription {
  const { text } = config;
  const head = uniterFamily.is(config) ? config.head : headOfLxmert(config);
  const { features, places } = lxmertFamily.is(config) ? config.vision : config.regions;
  const count = lxmertFamily.is(config) ? config.vision.regions : config.regions.count;
  const regions = head.kind === 'statements' ? [2, count] : [count];
  const hides = head.kind === 'pre-training';
  return {
    name: 'model',
    inputs: [
      textPort(text),
      valuesPort('visual_feats', [...regions, features]),
      valuesPort('visual_pos', [...regions, places]),
      valuesPort('visual_mask', regions),
      ...(hides ? [valuesPort('visual_hidden', regions)] : []),
    ],
    texts: text,
    answer: (any, inputs, hooks = {}) => {
      const given = {
        tokens: tokensIn(inputs),
        features: ofEachRegion(inputs, 'visual_feats'),
        places: ofEachRegion(inputs, 'visual_pos'),
        counts: ofEachPicture(inputs, 'visual_mask'),
        ...(hides ? { hidden: ofEachPicture(inputs, 'visual_hidden') } : {}),
        ...hooks,
      };
      return predicted(any, given);
    },
  };
}

/** All that the file says. */
function predicted(any: AnyDenseModel, inputs: RegionInputs): NamedTensorMap {
  const { logits, words, regions, classes, answers } = predictionOf(any, inputs);
  if (logits === undefined) throw new RangeError('expected logits');
  const [batch, tokens] = inputs.tokens.shape;
  const [pictures, count] = inputs.features.shape;
  const ofRegions = (said: Tensor): Tensor =>
    regionsFrom(said, [pictures / batch, batch, count, widthOf(said)]);
  return {
    logits,
    ...(words === undefined ? {} : { words: reshape(words, [batch, tokens, widthOf(words)]) }),
    ...(regions === undefined ? {} : { regions: ofRegions(regions) }),
    ...(classes === undefined ? {} : { classes: ofRegions(classes) }),
    ...(answers === undefined ? {} : { answers }),
  };
}

function predictionOf(any: AnyDenseModel, inputs: RegionInputs): Prediction {
  if (uniterFamily.holds(any)) return any.model.forward(any.params, inputs);
  if (lxmertFamily.holds(any)) return any.model.forward(any.params, inputs);
  throw new RangeError(`expected a uniter or an lxmert, got a ${any.kind}`);
}

const widthOf = ({ shape }: Tensor): number => shape.at(-1) ?? 1;

/** Regions of one picture, [B·R, N] → [B, R, N]; of two, the first one's of all examples before the second one's, [2·B·R, N] → [B, 2, R, N]. */
function regionsFrom(
  said: Tensor,
  [pictures, batch, count, width]: readonly [pictures: number, batch: number, count: number, width: number],
): Tensor {
  if (pictures === 1) return reshape(said, [batch, count, width]);
  return transpose(reshape(said, [pictures, batch, count, width]), [1, 0, 2, 3]);
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
