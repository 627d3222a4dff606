import {
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  add,
  matMul,
  mul,
  reshape,
  softmax,
  sub,
  sum,
  tensor2d,
  transpose,
} from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

export interface AttentionShape {
  /** B: sequences in the batch. */
  readonly batch: number;
  /** T: tokens per sequence. */
  readonly tokens: number;
  /** H. */
  readonly heads: number;
  /** Multiplies the scores: 1/√(head dimension of the dense model), also after a cut. */
  readonly scale: number;
  /** A token sees only itself and earlier tokens. */
  readonly causal: boolean;
}

/**
 * Multi-head attention, heads side by side: query and key [B·T, H·dk], value [B·T, H·dv] → [B·T, H·dv].
 * softmax(scale · Q·Kᵀ)·V per head.
 */
export function attention(query: Tensor2D, key: Tensor2D, value: Tensor2D, shape: AttentionShape): Tensor2D {
  const { batch, tokens, heads, scale, causal } = shape;
  const attributes = { batch, tokens, heads, scale, causal };
  return differentiable(
    [query, key, value],
    () => {
      const [output, probabilities] = runFused<[Tensor2D, Tensor3D]>(
        'WinnowAttention',
        { query, key, value },
        attributes,
        () => {
          const [q, k, v] = [split(query, shape), split(key, shape), split(value, shape)]; // [B·H, T, d]
          const scores = mul<Tensor3D>(matMul(q, k, false, true), scale); // [B·H, T, T]
          const probabilities = softmax(causal ? add<Tensor3D>(scores, causalBias(tokens)) : scores);
          return [merge(matMul(probabilities, v), shape), probabilities];
        },
      );
      return { value: output, saved: [query, key, value, probabilities] };
    },
    (dy, [query, key, value, probabilities]) => {
      if (!query || !key || !value || !probabilities)
        throw new Error('attention: the forward pass saved too little');
      return runFused('WinnowAttentionGradient', { dy, query, key, value, probabilities }, attributes, () => {
        const [q, k, v] = [split(query, shape), split(key, shape), split(value, shape)];
        const dOutput = split(dy, shape); // [B·H, T, dv]
        const dProbabilities = matMul(dOutput, v, false, true); // [B·H, T, T]
        const weighted = mul(dProbabilities, probabilities);
        const dScores = mul(sub(weighted, mul(probabilities, sum(weighted, -1, true))), scale);
        return [
          merge(matMul(dScores, k), shape),
          merge(matMul(dScores, q, true, false), shape),
          merge(matMul(probabilities, dOutput, true, false), shape),
        ];
      });
    },
  );
}

/** [B·T, H·d] → [B·H, T, d]. */
function split(x: Tensor, { batch, tokens, heads }: AttentionShape): Tensor3D {
  const headDim = (x.shape[1] ?? 0) / heads;
  const perHead = transpose(reshape(x, [batch, tokens, heads, headDim]), [0, 2, 1, 3]); // [B, H, T, d]
  return reshape(perHead, [batch * heads, tokens, headDim]);
}

/** [B·H, T, d] → [B·T, H·d]. */
function merge(x: Tensor, { batch, tokens, heads }: AttentionShape): Tensor2D {
  const headDim = x.shape[2] ?? 0;
  const perToken = transpose(reshape(x, [batch, heads, tokens, headDim]), [0, 2, 1, 3]); // [B, T, H, d]
  return reshape(perToken, [batch * tokens, heads * headDim]);
}

/** Added to the scores: 0 where a token may look, far below any score where it may not. [T, T] */
function causalBias(tokens: number): Tensor2D {
  const bias = Float32Array.from({ length: tokens * tokens }, (_, i) =>
    i % tokens > Math.floor(i / tokens) ? -1e9 : 0,
  );
  return tensor2d(bias, [tokens, tokens]);
}
