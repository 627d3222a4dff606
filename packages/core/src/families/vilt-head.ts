import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { placed, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import type { Observe } from '../layers/observe';
import { activate } from '../operations/activation';
import { type HiddenParams, guessed, hiddenLayer } from './hidden-words';
import { type ViltConfig, picturesOfHead } from './vilt-config';

/** The parameters that a ViLT has for its task alone. */
export type ViltHeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  /** For answers [D, 2·D] and [2·D, A]; for statements [2·D, 2·D] and [2·D, 2]. */
  head?: {
    first: LinearParams<Matrix, Vector>;
    norm: LayerNormParams<Vector>;
    last: LinearParams<Matrix, Vector>;
  };
  matching?: LinearParams<Matrix, Vector>; // [D, 2]
  rank?: LinearParams<Matrix, Vector>; // [D, 1]
  /** For hidden words, whose matrix is that of the embedding. */
  hidden?: HiddenParams<Matrix, Vector>;
};

/** PyTorch's default, which the heads are left with. */
const HEAD_EPSILON = 1e-5;

/** The layers of a head. */
export function viltHead({ head, vision, text }: ViltConfig) {
  const { embedDim: D } = vision.tower;
  const once = { uses: [{ tokens: 1 }] };
  if (head.kind === 'matching') {
    return {
      matching: placed(once, linearLayer(D, 2)),
      hidden: placed({ uses: [{ tokens: text.context }] }, hiddenLayer(D, text.vocabulary, text.normEpsilon)),
    };
  }
  if (head.kind === 'retrieval') return { rank: placed(once, linearLayer(D, 1)) };
  const answers = head.kind === 'answers' ? head.answers : 2;
  const inner = 2 * D;
  return {
    head: placed(
      once,
      together({
        first: linearLayer(picturesOfHead(head) * D, inner),
        norm: normLayer(inner, HEAD_EPSILON),
        last: linearLayer(inner, answers),
      }),
    ),
  };
}

/** Pooled states [B, D], or those of both pictures side by side, → logits [B, A], or scores [B, 1]. */
export function judged(
  { head, rank }: ViltHeadParams,
  pooled: Tensor2D,
  observe: Observe | undefined,
): Tensor2D {
  if (rank !== undefined) return project(pooled, rank, 'rank', observe);
  if (head === undefined) throw new RangeError('expected the parameters of a head');
  const first = project(pooled, head.first, 'head.first', observe);
  return project(
    activate(normalize(first, head.norm, HEAD_EPSILON), 'gelu'),
    head.last,
    'head.last',
    observe,
  );
}

/** States of words [B·T, D] → logits of the word that is there, [B·T, V]. */
export function hiddenWords(
  { hidden }: ViltHeadParams,
  states: Tensor2D,
  words: Tensor2D,
  { normEpsilon }: ViltConfig['text'],
  observe: Observe | undefined,
): Tensor2D {
  if (hidden === undefined) throw new RangeError('expected the parameters of hidden words');
  return guessed(hidden, states, words, { normEpsilon, observe, key: 'hidden' });
}
