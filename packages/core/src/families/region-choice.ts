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

/** Scores of padding lie so far below all others that they have no probability (ChenRocks/UNITER, `AttentionPool`). */
const FAR_BELOW = 1e4;

/** Scores of all tokens or regions, [B·R, 1], as logits of one of them, [B, R]. @param real [B, R], 0 for padding. */
export function choiceAmong(scores: Tensor2D, real: Tensor2D): Tensor2D {
  return add(reshape(scores, real.shape), mul(sub(real, 1), FAR_BELOW));
}

/** Words and regions of each example, [B, T + R, D], as those of the regions one after another, [B·R, D]. */
export function statesOfRegions(all: Tensor3D, words: number): Tensor2D {
  const [batch, tokens, D] = all.shape;
  return reshape(slice(all, [0, words, 0], [batch, tokens - words, D]), [batch * (tokens - words), D]);
}

/** Takes the regions at one place of each pair out of those of 2·B pictures, the two of a pair one after the other. */
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
