import {
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  engine,
  mul,
  zeros,
} from '@tensorflow/tfjs-core';
import { differentiable, hasKernel, isDifferentiating } from '../operations/kernel';
import type { ProjectionParams } from './linear';
import { type LayerNormParams, normalize } from './norm';

/** A layer with its parameters, ready to run on tokens. */
export interface Body {
  /** x [N, D] → [N, D]. */
  compute(x: Tensor2D): Tensor2D;
  /** The kernel by which an engine may answer x + body(norm x) in one call, forward and back. */
  readonly fused?: Fused;
}

interface Fused {
  readonly kernel: string;
  /** Its layers, in the order in which the kernel takes them; the body's output is that of the last. */
  readonly layers: Readonly<Record<string, ProjectionParams>>;
  readonly attributes: NamedAttrMap;
  /** Further inputs, which have no gradient. */
  readonly fixed?: Readonly<Record<string, Tensor>>;
}

export interface ResidualOptions {
  /** `before`: x + body(norm x), as in ViT and CLIP. `after`: norm(x + body(x)), as in BERT. */
  readonly norm: 'before' | 'after';
  readonly normEpsilon: number;
}

/**
 * A residual connection around a layer and its norm: x [N, D] → [N, D].
 * @param scale Multiplies what the layer adds, dimension by dimension [D] (layer scale: Touvron et al., 2021, CaiT).
 */
export function residual(
  x: Tensor2D,
  norm: LayerNormParams,
  { compute, fused }: Body,
  { norm: place, normEpsilon }: ResidualOptions,
  scale?: Tensor1D,
): Tensor2D {
  const scaled = (y: Tensor2D): Tensor2D => (scale === undefined ? y : mul(y, scale));
  if (place === 'after') return normalize(add(x, scaled(compute(x))), norm, normEpsilon);
  if (fused !== undefined && hasKernel(fused.kernel)) {
    return runSublayer(fused, x, norm, normEpsilon, scale);
  }
  return add(x, scaled(compute(normalize(x, norm, normEpsilon))));
}

/**
 * Runs the engine's kernel of x + scale ∘ body(norm x). It takes x, the norm, the layers, and the layer scale if there is
 * one (`layerScale0`), in this order, and answers with the value and, where a gradient will be asked for, tensors that only
 * its gradient kernel (`…Gradient`) understands: its inputs `kept0`, `kept1`, ….
 */
function runSublayer(
  { kernel, layers, attributes: own, fixed = {} }: Fused,
  x: Tensor2D,
  norm: LayerNormParams,
  epsilon: number,
  scale?: Tensor1D,
): Tensor2D {
  const attributes = { ...own, epsilon };
  const inputs: NamedTensorMap = { x, normWeight: norm.weight, normBias: norm.bias };
  for (const [layer, { weight, bias }] of Object.entries(layers)) {
    inputs[`${layer}Weight`] = weight;
    inputs[`${layer}Bias`] = bias ?? zeros([weight.shape[1]]);
  }
  if (scale !== undefined) inputs['layerScale0'] = scale;
  if (!isDifferentiating()) {
    const run = { ...attributes, keeps: false };
    const [value] = engine().runKernel<[Tensor2D]>(kernel, { ...inputs, ...fixed }, run);
    return value;
  }
  const tensors = Object.values(inputs);
  const given = { ...inputs, ...fixed };
  const names = Object.keys(given);
  return differentiable(
    tensors,
    () => {
      const run = { ...attributes, keeps: true };
      const [value, ...kept] = engine().runKernel<[Tensor2D, ...Tensor[]]>(kernel, given, run);
      return { value, saved: [...Object.values(given), ...kept] };
    },
    (dy, saved) => {
      if (saved.length <= names.length) throw new Error(`${kernel}: the forward pass kept nothing`);
      const again: NamedTensorMap = { dy };
      saved.forEach((tensor, index) => (again[names[index] ?? `kept${index - names.length}`] = tensor));
      return engine().runKernel<Tensor[]>(`${kernel}Gradient`, again, attributes);
    },
  );
}
