import { type Tensor, type Tensor1D, add, mul, reshape, slice, sub } from '@tensorflow/tfjs-core';
import { hasKernel } from './kernel';
import { runListKernel } from './list-kernel';

/** A parameter whose units may be those of another one, and may be scaled. */
export interface SharedParameter {
  /** [·, units] (axis 1), [units, ·] or [units] (axis 0) */
  readonly parameter: Tensor;
  readonly axis: 0 | 1;
  /** From whom it may borrow: an earlier one of the list, as that has become before it is scaled. */
  readonly lender?: number;
  /** The first of the vector's entries that say, unit by unit, 1: its own, 0: the lender's. */
  readonly shareFrom?: number;
  /** The first of the entries that its units are multiplied with in the end. */
  readonly scaleFrom?: number;
}

/**
 * For each parameter (s ⊙ own + (1 − s) ⊙ lent) ⊙ m, unit by unit; s and m lie in one vector [entries]. Tensors of the
 * parameters' shapes. Gradients reach the vector; the parameters are taken as constants.
 */
export function shareUnits(shared: readonly SharedParameter[], vector: Tensor1D): Tensor[] {
  return hasKernel(KERNEL) ? together(shared, vector) : composed(shared, vector);
}

const unitsOf = ({ parameter, axis }: SharedParameter): number => parameter.shape[axis] ?? 1;

function composed(shared: readonly SharedParameter[], vector: Tensor1D): Tensor[] {
  const blended: Tensor[] = [];
  const entries = (of: SharedParameter, from: number): Tensor => {
    const { parameter, axis } = of;
    const own = slice(vector, from, unitsOf(of));
    return parameter.rank === 2 && axis === 0 ? reshape(own, [-1, 1]) : own;
  };
  for (const each of shared) {
    const { parameter, lender, shareFrom } = each;
    const lent = lender === undefined ? undefined : blended[lender];
    if (lent === undefined || shareFrom === undefined) {
      blended.push(parameter);
      continue;
    }
    const share = entries(each, shareFrom);
    blended.push(add(mul(parameter, share), mul(lent, sub(1, share))));
  }
  return shared.map((each, index) => {
    const { parameter, scaleFrom } = each;
    const found = blended[index] ?? parameter;
    return scaleFrom === undefined ? found : mul(found, entries(each, scaleFrom));
  });
}

const KERNEL = 'WinnowShareUnits';

/** One call of the engine for all parameters, and one for the gradient. The kernel takes the parameters and the vector. */
function together(shared: readonly SharedParameter[], vector: Tensor1D): Tensor[] {
  return runListKernel(
    KERNEL,
    [...shared.map(({ parameter }) => parameter), vector],
    {
      units: shared.map(unitsOf),
      // How many numbers of a parameter lie side by side for each unit.
      widths: shared.map(({ parameter, axis }) => (axis === 0 ? (parameter.shape[1] ?? 1) : 1)),
      lenders: shared.map(({ lender = -1 }) => lender),
      shares: shared.map(({ shareFrom = -1 }) => shareFrom),
      scales: shared.map(({ scaleFrom = -1 }) => scaleFrom),
    },
    { firstTrained: (inputs) => inputs - 1 }, // the vector
  );
}
