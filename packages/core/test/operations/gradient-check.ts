import { type Tensor, grads, mul, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { type RandomStream, sizeOf } from '../../src/index';

/** An input of an operation under test. */
export interface Input {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export function randomInput(random: RandomStream, ...shape: number[]): Input {
  return { shape, values: Array.from({ length: sizeOf({ shape }) }, () => random.normal()) };
}

/**
 * Compares an operation and its own gradient with a plain function in float64: the forward values, and the gradient of
 * a random weighting of them with central differences of the plain function.
 * @returns the largest deviation of each, relative to max(1, |expected|).
 */
export function deviations(
  operation: (...inputs: Tensor[]) => Tensor,
  plain: (...inputs: (readonly number[])[]) => number[],
  inputs: readonly Input[],
  random: RandomStream,
): { forward: number; gradient: number } {
  return tidy(() => {
    const tensors = inputs.map(({ values, shape }) => tensor([...values], [...shape]));
    const lists = inputs.map(({ values }) => values);
    const expected = plain(...lists);
    const actual = operation(...tensors);
    const weights = expected.map(() => random.normal());
    const weighting = tensor(weights, actual.shape);
    const weighted = (values: readonly number[]) =>
      values.reduce((total, value, i) => total + value * (weights[i] ?? 0), 0);

    const gradients = grads((...leaves) => sum(mul(operation(...leaves), weighting)))(tensors);
    const gradient = gradients.map((leaf, which) => {
      const numerical = (lists[which] ?? []).map((_, entry) => {
        const moved = (by: number) =>
          weighted(
            plain(
              ...lists.map((list, i) =>
                i === which ? list.map((v, j) => (j === entry ? v + by : v)) : list,
              ),
            ),
          );
        const step = 1e-5;
        return (moved(step) - moved(-step)) / (2 * step);
      });
      return worst(leaf.dataSync(), numerical);
    });
    return { forward: worst(actual.dataSync(), expected), gradient: Math.max(...gradient) };
  });
}

function worst(actual: ArrayLike<number>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  const each = expected.map(
    (value, i) => Math.abs((actual[i] ?? Number.NaN) - value) / Math.max(1, Math.abs(value)),
  );
  return each.every((deviation) => deviation >= 0) ? Math.max(...each) : Number.NaN;
}
