import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { type Observe, observeUnder } from '../layers/observe';
import { activate } from '../operations/activation';

/** A head of two linear maps with a norm between them. */
export type AnswerHeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  first: LinearParams<Matrix, Vector>; // [D, N]
  norm: LayerNormParams<Vector>;
  last: LinearParams<Matrix, Vector>; // [N, A]
};

/** Widths of a head: D, N and A. */
export interface HeadWidths {
  readonly read: number;
  readonly inner: number;
  readonly answers: number;
}

/** The epsilon of its norm, whatever the others have (airsplay/lxmert, `BertVisualAnswerHead`; ChenRocks/UNITER, `vqa_output`). */
const HEAD_EPSILON = 1e-12;

/** LXMERT's and UNITER's head: D → N, GELU, a norm, → A. For answers N is 2·D. */
export const answerHead = ({ read, inner, answers }: HeadWidths) => ({
  layer: together({
    first: linearLayer(read, inner),
    norm: normLayer(inner, HEAD_EPSILON),
    last: linearLayer(inner, answers),
  }),
  /** States [N, D] → logits [N, A]. */
  run: (params: AnswerHeadParams, states: Tensor2D, observe: Observe | undefined, key = 'head'): Tensor2D => {
    const own = observeUnder(observe, key);
    const thought = activate(project(states, params.first, 'first', own), 'gelu');
    return project(normalize(thought, params.norm, HEAD_EPSILON), params.last, 'last', own);
  },
});
