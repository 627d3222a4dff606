import {
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  type Tensor2D,
  add,
  engine,
} from '@tensorflow/tfjs-core';
import { type Activation, activate } from '../operations/activation';
import { attention } from '../operations/attention';
import { differentiable, hasKernel, isDifferentiating } from '../operations/kernel';
import { layerNorm } from '../operations/layer-norm';
import { linear } from '../operations/linear';
import type { AttentionParams, FfnParams, LayerNormParams, LinearParams } from './block';

export interface AttentionSublayerShape {
  /** T: tokens per sequence. */
  readonly tokens: number;
  /** H. */
  readonly heads: number;
  /** Multiplies the scores. */
  readonly scale: number;
  /** A token sees only itself and earlier tokens. */
  readonly causal: boolean;
  readonly normEpsilon: number;
}

/**
 * x + attention(norm x): x [B·T, D] → [B·T, D]. An engine may answer it in one call, forward and back
 * (`WinnowAttentionSublayer`); the composition says what it means.
 */
export function attentionSublayer(
  x: Tensor2D,
  norm: LayerNormParams,
  layers: AttentionParams,
  shape: AttentionSublayerShape,
): Tensor2D {
  const { tokens, heads, scale, causal, normEpsilon } = shape;
  const { query, key, value, output } = layers;
  if (hasKernel('WinnowAttentionSublayer')) {
    const attributes = { tokens, heads, scale, causal, epsilon: normEpsilon };
    return fused('WinnowAttentionSublayer', x, norm, { query, key, value, output }, attributes);
  }
  const a = layerNorm(x, norm.weight, norm.bias, normEpsilon); // [B·T, D]
  const batch = x.shape[0] / tokens;
  const attended = attention(project(a, query), project(a, key), project(a, value), {
    batch,
    tokens,
    heads,
    scale,
    causal,
  }); // [B·T, H·d]
  return add(x, project(attended, output));
}

/** x + ffn(norm x): x [B·T, D] → [B·T, D], in one call where the engine has `WinnowFfnSublayer`. */
export function ffnSublayer(
  x: Tensor2D,
  norm: LayerNormParams,
  { expand, contract }: FfnParams,
  { activation, normEpsilon }: { readonly activation: Activation; readonly normEpsilon: number },
): Tensor2D {
  if (hasKernel('WinnowFfnSublayer')) {
    const attributes = { activation, epsilon: normEpsilon };
    return fused('WinnowFfnSublayer', x, norm, { expand, contract }, attributes);
  }
  const a = layerNorm(x, norm.weight, norm.bias, normEpsilon); // [B·T, D]
  const hidden = activate(project(a, expand), activation); // [B·T, hidden]
  return add(x, project(hidden, contract));
}

const project = (x: Tensor2D, { weight, bias }: LinearParams): Tensor2D => linear(x, weight, bias);

/**
 * Runs the engine's kernel of the sub-layer. It takes x, the norm and the layers in this order, and answers with the value
 * and, where a gradient will be asked for, one tensor that only its gradient kernel (`…Gradient`) understands.
 */
function fused(
  kernel: string,
  x: Tensor2D,
  norm: LayerNormParams,
  layers: Readonly<Record<string, LinearParams>>,
  attributes: NamedAttrMap,
): Tensor2D {
  const inputs: NamedTensorMap = { x, normWeight: norm.weight, normBias: norm.bias };
  for (const [layer, { weight, bias }] of Object.entries(layers)) {
    inputs[`${layer}Weight`] = weight;
    inputs[`${layer}Bias`] = bias;
  }
  if (!isDifferentiating()) {
    const [value] = engine().runKernel<[Tensor2D]>(kernel, inputs, { ...attributes, keeps: false });
    return value;
  }
  const names = Object.keys(inputs);
  const tensors = Object.values(inputs);
  return differentiable(
    tensors,
    () => {
      const run = { ...attributes, keeps: true };
      const [value, kept] = engine().runKernel<[Tensor2D, Tensor]>(kernel, inputs, run);
      return { value, saved: [kept, ...tensors] };
    },
    (dy, [kept, ...saved]) => {
      if (kept === undefined) throw new Error(`${kernel}: the forward pass kept nothing`);
      const again: NamedTensorMap = { dy, kept };
      saved.forEach((tensor, index) => (again[names[index] ?? ''] = tensor));
      return engine().runKernel<Tensor[]>(`${kernel}Gradient`, again, attributes);
    },
  );
}
