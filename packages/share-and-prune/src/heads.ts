import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  concat,
  matMul,
  reshape,
  split,
} from '@tensorflow/tfjs-core';
import {
  type LinearParams,
  type ParameterSpec,
  constantSpec,
  differentiable,
  normalSpec,
  runFused,
} from '@winnow/core';

/**
 * Linear heads side by side, each of which sees one row: features [S, K], weight [K, N], bias [N] → [N], where `sizes`
 * says how many of the N columns belong to each of the S rows.
 */
export function heads(
  features: Tensor2D,
  { weight, bias }: LinearParams,
  sizes: readonly number[],
): Tensor1D {
  return differentiable(
    [features, weight, bias],
    () => {
      const inputs = { features, weight, bias };
      const [value] = runFused<[Tensor1D]>('WinnowHeads', inputs, { sizes: [...sizes] }, () => {
        const rows = split(features, sizes.length, 0);
        const products = split(weight, [...sizes], 1).flatMap((columns, row) => {
          const own = rows[row];
          return own === undefined ? [] : [reshape(matMul(own, columns), [-1])];
        });
        return [add(concat(products, 0), bias)];
      });
      return { value, saved: [features, weight] };
    },
    (dy, saved) => gradients(dy, saved, sizes),
  );
}

function gradients(dy: Tensor, [features, weight]: readonly Tensor[], sizes: readonly number[]): Tensor[] {
  if (features === undefined || weight === undefined) throw new Error('heads: nothing was saved');
  const inputs = { dy, features, weight };
  const ofProducts = runFused<Tensor[]>('WinnowHeadsGradient', inputs, { sizes: [...sizes] }, () => {
    const rows = split(features, sizes.length, 0);
    const columns = split(weight, [...sizes], 1);
    const parts = split(dy, [...sizes], 0).flatMap((part, row) => {
      const [own, ofOwn] = [rows[row], columns[row]];
      const gradient: Tensor2D = reshape(part, [1, -1]);
      if (own === undefined || ofOwn === undefined) return [];
      return [{ row: matMul(gradient, ofOwn, false, true), columns: matMul(own, gradient, true, false) }];
    });
    return [
      concat(
        parts.map(({ row }) => row),
        0,
      ), // [S, K]
      concat(
        parts.map(({ columns }) => columns),
        1,
      ), // [K, N]
    ];
  });
  return [...ofProducts, dy];
}

/** Uniform in ±1/√K in PyTorch; here weights normal with its deviation 1/√(3·K), and heads that say nothing yet. */
export const headsSpecs = (features: number, size: number): LinearParams<ParameterSpec, ParameterSpec> => ({
  weight: normalSpec([features, size], 1 / Math.sqrt(3 * features)),
  bias: constantSpec([size], 0),
});
