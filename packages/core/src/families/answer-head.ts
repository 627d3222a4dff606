import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { type Observe, observeUnder } from '../layers/observe';
import { activate } from '../operations/activation';

/** A head for answers, of a width that it doubles in between. */
export type AnswerHeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  first: LinearParams<Matrix, Vector>; // [D, 2·D]
  norm: LayerNormParams<Vector>;
  last: LinearParams<Matrix, Vector>; // [2·D, A]
};

/** The epsilon of its norm, whatever the others have (airsplay/lxmert, `BertVisualAnswerHead`; ChenRocks/UNITER, `vqa_output`). */
const HEAD_EPSILON = 1e-12;

/** LXMERT's and UNITER's head for answers: D → 2·D, GELU, a norm, → A. */
export const answerHead = (D: number, answers: number) => ({
  layer: together({
    first: linearLayer(D, 2 * D),
    norm: normLayer(2 * D, HEAD_EPSILON),
    last: linearLayer(2 * D, answers),
  }),
  /** Pooled states [B, D] → logits [B, A]. */
  run: (params: AnswerHeadParams, pooled: Tensor2D, observe: Observe | undefined): Tensor2D => {
    const own = observeUnder(observe, 'head');
    const thought = activate(project(pooled, params.first, 'first', own), 'gelu');
    return project(normalize(thought, params.norm, HEAD_EPSILON), params.last, 'last', own);
  },
});
