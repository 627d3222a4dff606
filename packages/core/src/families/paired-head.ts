import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  concat,
  mul,
  relu,
  reshape,
  softmax,
  sum,
} from '@tensorflow/tfjs-core';
import { type AttentionParams, attentionLayer } from '../layers/attention';
import { placed, together, uncut } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type Observe, observeUnder } from '../layers/observe';
import { choiceAmong } from './region-choice';

/** A head for statements about two pictures, each of which was read with the statement. */
export type PairedHeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  left: AttentionParams<Matrix, Vector>;
  right: AttentionParams<Matrix, Vector>;
  join: LinearParams<Matrix, Vector>; // [2·D, D]
  pool: LinearParams<Matrix, Vector>; // [D, 1]
  last: LinearParams<Matrix, Vector>; // [2·D, 2]
};

/** States of a statement and one of its pictures. */
export interface ReadSide {
  readonly all: Tensor3D; // [B, S, D]
  /** [B, S], 0 where a state is padding. */
  readonly read: Tensor2D;
}

/**
 * UNITER's head for statements (Chen et al., 2020, Section 4.1, "Pair-biattn"; ChenRocks/UNITER, `model/nlvr2.py`): what was read about
 * each picture looks at what was read about the other, both are joined, D → ReLU, weighed by a learned score, and judged together. It has
 * no sites. Without dropout.
 * @param tokens S: words and regions of one picture.
 */
export function pairedHead(
  {
    embedDim: D,
    heads,
    denseHeadDim,
  }: { readonly embedDim: number; readonly heads: number; readonly denseHeadDim: number },
  tokens: number,
) {
  const attention = attentionLayer({
    ...{ embedDim: D, heads, headDim: denseHeadDim, scale: 1 / Math.sqrt(denseHeadDim) },
  });
  const across = { uses: [{ tokens, context: tokens }] };
  const both = { uses: [{ tokens }, { tokens }] };
  return {
    layer: uncut(
      together({
        left: placed(across, attention),
        right: placed(across, attention),
        join: placed(both, linearLayer(2 * D, D)),
        pool: placed(both, linearLayer(D, 1)),
        last: placed({ uses: [{ tokens: 1 }] }, linearLayer(2 * D, 2)),
      }),
    ),
    /** Both sides of each statement → logits of false and true, [B, 2]. */
    run: (
      params: PairedHeadParams,
      [left, right]: readonly [ReadSide, ReadSide],
      observe?: Observe,
    ): Tensor2D => {
      const own = observeUnder(observe, 'paired');
      const [batch, S] = left.read.shape;
      const flat = ({ all }: ReadSide): Tensor2D => reshape(all, [batch * S, D]);
      const side = (key: 'left' | 'right', asking: ReadSide, seen: ReadSide): Tensor2D => {
        const body = attention.body(params[key], {
          tokens: S,
          context: { states: flat(seen), tokens: S },
          counts: seen.read,
          observe: observeUnder(own, key),
        });
        const heard = body.compute(flat(asking));
        const joined = relu(project(concat([heard, flat(asking)], 1), params.join, 'join', own));
        const scores = relu(project(joined, params.pool, 'pool', own)); // [B·S, 1]
        const weights: Tensor2D = softmax(choiceAmong(scores, asking.read));
        const states: Tensor3D = reshape(joined, [batch, S, D]);
        const weighed: Tensor3D = mul(states, reshape(weights, [batch, S, 1]));
        return sum(weighed, 1); // [B, D]
      };
      const pooled: Tensor2D = concat([side('left', left, right), side('right', right, left)], 1);
      return project(pooled, params.last, 'last', own);
    },
  };
}
