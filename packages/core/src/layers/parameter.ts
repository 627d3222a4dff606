import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { randomStream } from '../random/random';
import { type Tree, buildTree } from '../tree/tree';

/** One parameter, described without a tensor. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly init: Initializer;
  /** Whether weight decay may pull on it; a vector never decays, whatever stands here. Default true. */
  readonly decays?: boolean;
  /** Layers of its tower between it and the head, the head among them; default 0: the head, and the last norm. */
  readonly layersAbove?: number;
}

export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'constant'; readonly value: number }
  /** Normal with this standard deviation, redrawn beyond two of them. */
  | { readonly kind: 'truncated-normal'; readonly deviation: number };

export const zeros = (shape: readonly number[]): ParameterSpec => ({ shape, init: { kind: 'zeros' } });
export const ones = (shape: readonly number[]): ParameterSpec => ({ shape, init: { kind: 'ones' } });
export const constant = (shape: readonly number[], value: number): ParameterSpec => ({
  shape,
  init: { kind: 'constant', value },
});
export const normal = (shape: readonly number[], deviation: number): ParameterSpec => ({
  shape,
  init: { kind: 'truncated-normal', deviation },
});

/** A matrix that stands for single vectors, which published recipes spare from weight decay. */
export const undecayed = (spec: ParameterSpec): ParameterSpec => ({ ...spec, decays: false });

export const sizeOf = ({ shape }: { readonly shape: readonly number[] }): number =>
  shape.reduce((product, extent) => product * extent, 1);

/** Fresh parameters. Each depends on the seed and its own path only, so a model's other parts do not move it. */
export function initialize<Params>(specs: Tree<ParameterSpec>, seed: number): Params {
  return buildTree<ParameterSpec, Params>(specs, (spec, path) => initialValue(spec, path, seed));
}

function initialValue(spec: ParameterSpec, path: string, seed: number): Tensor {
  const values = new Float32Array(sizeOf(spec));
  switch (spec.init.kind) {
    case 'zeros':
      break;
    case 'ones':
      values.fill(1);
      break;
    case 'constant':
      values.fill(spec.init.value);
      break;
    case 'truncated-normal': {
      const random = randomStream(seed, 'initial', path);
      for (let i = 0; i < values.length; i++) {
        let drawn = random.normal();
        while (Math.abs(drawn) > 2) drawn = random.normal();
        values[i] = drawn * spec.init.deviation;
      }
      break;
    }
    default:
      spec.init satisfies never;
  }
  return tensor(values, [...spec.shape], 'float32');
}
