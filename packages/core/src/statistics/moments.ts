import {
  type Tensor1D,
  type Tensor2D,
  add,
  div,
  mean as meanOf,
  mul,
  outerProduct,
  reshape,
  square,
  sub,
  sum,
  tensor1d,
  zeros,
} from '@tensorflow/tfjs-core';

import { columnProducts } from '../operations/column-products';

/** Rows [N, W], of which those with a 1 are counted, [N]; all of them where nothing is said. */
export interface CountedRows {
  readonly values: Tensor2D;
  readonly counted?: Tensor1D;
}

/** Moments of W columns over some rows. */
export type ColumnMoments = {
  /** [1] */
  count: Tensor1D;
  /** [W] */
  mean: Tensor1D;
  /** Σ (x − mean)², [W] */
  squares: Tensor1D;
};

/** The same with all products of two columns. */
export type ScatterMoments = {
  /** [1] */
  count: Tensor1D;
  /** [W] */
  mean: Tensor1D;
  /** Σ (x − mean)ᵀ(x − mean), [W, W] */
  scatter: Tensor2D;
};

/** The same with V columns of y beside those of x, in the same rows. */
export type JointMoments = ScatterMoments & {
  /** [V] */
  targetMean: Tensor1D;
  /** Σ (x − mean)ᵀ(y − mean), [W, V] */
  cross: Tensor2D;
  /** Σ ‖y − mean‖², [1] */
  targetSquares: Tensor1D;
};

/** Moments of no rows yet. The caller owns them. */
export const columnMoments = (width: number): ColumnMoments => ({
  count: zeros([1]),
  mean: zeros([width]),
  squares: zeros([width]),
});

/** Moments of no rows yet. The caller owns them. */
export const scatterMoments = (width: number): ScatterMoments => ({
  count: zeros([1]),
  mean: zeros([width]),
  scatter: zeros([width, width]),
});

/** Moments of no rows yet. The caller owns them. */
export const jointMoments = (width: number, targetWidth: number): JointMoments => ({
  ...scatterMoments(width),
  targetMean: zeros([targetWidth]),
  cross: zeros([width, targetWidth]),
  targetSquares: zeros([1]),
});

/**
 * The moments after more rows, merged as Chan et al. do it (1979, Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances, Equation 2.1): a mean that is large beside the deviation costs no precision. Call it in a tidy.
 */
export function withRows(moments: ColumnMoments, rows: CountedRows): ColumnMoments {
  const own = centered(rows);
  const { weight, share, count } = joined(moments.count, own.count);
  const shift = sub<Tensor1D>(own.mean, moments.mean);
  return {
    count,
    mean: add(moments.mean, mul(shift, share)),
    squares: add(add(moments.squares, sum<Tensor1D>(square(own.deviations), 0)), mul(square(shift), weight)),
  };
}

/** The same with products of columns. Call it in a tidy. */
export const withScatter = (moments: ScatterMoments, rows: CountedRows): ScatterMoments =>
  scattered(moments, centered(rows)).moments;

/** The same for two kinds of columns; both have the same rows, counted as `rows` says. Call it in a tidy. */
export function withJointRows(moments: JointMoments, rows: CountedRows, target: Tensor2D): JointMoments {
  const own = centered(rows);
  const other = centered({ ...rows, values: target });
  const { moments: merged, shift, share, weight } = scattered(moments, own);
  const targetShift = sub<Tensor1D>(other.mean, moments.targetMean);
  const squares = add(sum(square(other.deviations)), mul(sum(square(targetShift)), weight));
  return {
    ...merged,
    targetMean: add(moments.targetMean, mul(targetShift, share)),
    cross: add(
      add(moments.cross, columnProducts(own.deviations, other.deviations)),
      outerProduct(mul<Tensor1D>(shift, weight), targetShift),
    ),
    targetSquares: add(moments.targetSquares, reshape(squares, [1])),
  };
}

function scattered({ count, mean, scatter }: ScatterMoments, own: ReturnType<typeof centered>) {
  const { count: all, share, weight } = joined(count, own.count);
  const shift = sub<Tensor1D>(own.mean, mean);
  const moments: ScatterMoments = {
    count: all,
    mean: add(mean, mul(shift, share)),
    scatter: add(
      add(scatter, columnProducts(own.deviations, own.deviations)),
      outerProduct(mul<Tensor1D>(shift, weight), shift),
    ),
  };
  return { moments, shift, share, weight };
}

/** Rows about their own mean; those that are not counted are 0. */
function centered({ values, counted }: CountedRows): {
  count: Tensor1D;
  mean: Tensor1D;
  deviations: Tensor2D;
} {
  const [N] = values.shape;
  if (counted === undefined) {
    const mean = meanOf<Tensor1D>(values, 0);
    return { count: tensor1d([N]), mean, deviations: sub(values, mean) };
  }
  const weights: Tensor2D = reshape(counted, [N, 1]);
  const count: Tensor1D = reshape(sum(counted), [1]);
  const mean = div<Tensor1D>(sum(mul(values, weights), 0), count);
  return { count, mean, deviations: mul(sub(values, mean), weights) };
}

/** Numbers of rows, [1] each → their sum, the share of the second, and n·m/(n + m). */
function joined(before: Tensor1D, added: Tensor1D): { count: Tensor1D; share: Tensor1D; weight: Tensor1D } {
  const count = add<Tensor1D>(before, added);
  const share = div<Tensor1D>(added, count);
  return { count, share, weight: mul(before, share) };
}
