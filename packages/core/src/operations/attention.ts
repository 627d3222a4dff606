import {
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  add,
  log,
  matMul,
  mul,
  reshape,
  softmax,
  step,
  sub,
  sum,
  tensor2d,
  tile,
  transpose,
} from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

export interface AttentionShape {
  /** B: sequences in the batch. */
  readonly batch: number;
  /** T: tokens per sequence that ask. */
  readonly tokens: number;
  /** T′: tokens per sequence that are looked at, T unless it says otherwise. */
  readonly context?: number;
  /** H. */
  readonly heads: number;
  /** Multiplies the scores: 1/√(head dimension of the dense model), also after a cut. */
  readonly scale: number;
  /** A token sees only itself and earlier tokens. */
  readonly causal: boolean;
  /**
   * [B, T′], as how many tokens each is looked at: 1, more where several were merged into one (ToMe: Bolya et al., ICLR 2023,
   * Eq. 1), 0 where it may not be looked at: padding. At least one of each sequence may.
   */
  readonly counts?: Tensor2D;
}

/**
 * Multi-head attention, heads side by side: query [B·T, H·dk], key [B·T′, H·dk], value [B·T′, H·dv] → [B·T, H·dv].
 * softmax(scale · Q·Kᵀ + log counts)·V per head. An engine's `WinnowAttention` answers it where tokens look at themselves, each
 * as one, and its `WinnowContextAttention` elsewhere.
 */
export function attention(query: Tensor2D, key: Tensor2D, value: Tensor2D, shape: AttentionShape): Tensor2D {
  const { batch, tokens, heads, scale, causal, context, counts } = shape;
  const asking: HeadShape = { batch, tokens, heads };
  const seen: HeadShape = { batch, tokens: context ?? tokens, heads };
  // Two kernels: one knows one number of tokens and no padding, as most attention is.
  const isOwn = context === undefined && counts === undefined;
  const kernel = isOwn ? 'WinnowAttention' : 'WinnowContextAttention';
  const attributes = {
    batch,
    tokens,
    heads,
    scale,
    causal,
    ...(isOwn ? {} : { context: context ?? tokens }),
  };
  const counting = counts === undefined ? {} : { counts };
  return differentiable(
    [query, key, value],
    () => {
      const [output, probabilities] = runFused<[Tensor2D, Tensor3D]>(
        kernel,
        { query, key, value, ...counting },
        attributes,
        () => {
          const [q, k, v] = [split(query, asking), split(key, seen), split(value, seen)]; // [B·H, T, d]
          const scores = mul<Tensor3D>(matMul(q, k, false, true), scale); // [B·H, T, T′]
          const ordered = causal ? add<Tensor3D>(scores, causalBias(tokens, seen.tokens)) : scores;
          const counted = counts === undefined ? ordered : add<Tensor3D>(ordered, logarithms(counts, heads));
          const probabilities = softmax(counted);
          return [merge(matMul(probabilities, v), asking), probabilities];
        },
      );
      return { value: output, saved: [query, key, value, probabilities] };
    },
    (dy, [query, key, value, probabilities]) => {
      if (!query || !key || !value || !probabilities)
        throw new Error('attention: the forward pass saved too little');
      const inputs = { dy, query, key, value, probabilities };
      return runFused(`${kernel}Gradient`, inputs, attributes, () => {
        const [q, k, v] = [split(query, asking), split(key, seen), split(value, seen)];
        const dOutput = split(dy, asking); // [B·H, T, dv]
        const dProbabilities = matMul(dOutput, v, false, true); // [B·H, T, T′]
        const weighted = mul(dProbabilities, probabilities);
        const dScores = mul(sub(weighted, mul(probabilities, sum(weighted, -1, true))), scale);
        return [
          merge(matMul(dScores, k), asking),
          merge(matMul(dScores, q, true, false), seen),
          merge(matMul(probabilities, dOutput, true, false), seen),
        ];
      });
    },
  );
}

type HeadShape = Pick<AttentionShape, 'batch' | 'tokens' | 'heads'>;

/** [B·T, H·d] → [B·H, T, d]. */
function split(x: Tensor, { batch, tokens, heads }: HeadShape): Tensor3D {
  const headDim = (x.shape[1] ?? 0) / heads;
  const perHead = transpose(reshape(x, [batch, tokens, heads, headDim]), [0, 2, 1, 3]); // [B, H, T, d]
  return reshape(perHead, [batch * heads, tokens, headDim]);
}

/** [B·H, T, d] → [B·T, H·d]. */
function merge(x: Tensor, { batch, tokens, heads }: HeadShape): Tensor2D {
  const headDim = x.shape[2] ?? 0;
  const perToken = transpose(reshape(x, [batch, heads, tokens, headDim]), [0, 2, 1, 3]); // [B, T, H, d]
  return reshape(perToken, [batch * tokens, heads * headDim]);
}

/** Far below any score: what it is added to is not looked at. */
const NEVER = -1e9;

/** Added to the scores: nothing where a token may look. [T, T′] */
function causalBias(tokens: number, context: number): Tensor2D {
  const bias = Float32Array.from({ length: tokens * context }, (_, i) =>
    i % context > Math.floor(i / context) ? NEVER : 0,
  );
  return tensor2d(bias, [tokens, context]);
}

/** Added to the scores, of every head alike: log counts, and far below any score for a count of 0. [B, T′] → [B·H, 1, T′] */
function logarithms(counts: Tensor2D, heads: number): Tensor3D {
  const [batch, context] = counts.shape;
  const isSeen = step(counts); // [B, T′]
  const bias = add(log(add(counts, sub(1, isSeen))), mul(sub(isSeen, 1), -NEVER));
  const perHead = tile(reshape(bias, [batch, 1, 1, context]), [1, heads, 1, 1]); // [B, H, 1, T′]
  return reshape(perHead, [batch * heads, 1, context]);
}
