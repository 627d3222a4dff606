import {
  type Tensor2D,
  type Tensor3D,
  add,
  gather,
  mul,
  range,
  reshape,
  slice,
  sub,
} from '@tensorflow/tfjs-core';
import type { RegionInputs } from './region-inputs';

/** Logits of regions that are padding lie so far below all others that they have no probability. */
const FAR_BELOW = 1e4;

/** Scores of all regions [B·R, 1] as logits of the one that is meant, [B, R]. @param real [B, R], 0 for padding. */
export function choiceOfRegions(scores: Tensor2D, real: Tensor2D): Tensor2D {
  return add(reshape(scores, real.shape), mul(sub(real, 1), FAR_BELOW));
}

/** Words and regions of each example, [B, T + R, D], as those of the regions one after another, [B·R, D]. */
export function statesOfRegions(all: Tensor3D, words: number): Tensor2D {
  const [batch, tokens, D] = all.shape;
  return reshape(slice(all, [0, words, 0], [batch, tokens - words, D]), [batch * (tokens - words), D]);
}

/** Of the regions of 2·B pictures, the two of an example one after the other, those of one place. */
export function inputsOfPicture(inputs: RegionInputs, place: 0 | 1): RegionInputs {
  const { features, places, counts } = inputs;
  const rows = range(place, features.shape[0], 2, 'int32');
  return {
    ...inputs,
    features: gather(features, rows),
    places: gather(places, rows),
    ...(counts === undefined ? {} : { counts: gather(counts, rows) }),
  };
}
