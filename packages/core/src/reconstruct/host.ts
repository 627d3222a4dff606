import type { Tensor } from '@tensorflow/tfjs-core';
import { type Matrix, mapped, matrixFrom } from '../algebra/matrix';
import type { JointMoments, ScatterMoments } from '../statistics/moments';
import { type FitStatistics } from './fit';

/** A matrix [R, C], or a vector [C] as a row, in double precision. */
export async function hostMatrix(tensor: Tensor): Promise<Matrix> {
  const [first = 1, second] = tensor.shape;
  const [rows, columns] = second === undefined ? [1, first] : [first, second];
  return matrixFrom(await tensor.data<'float32'>(), rows, columns);
}

const vectorOf = async (tensor: Tensor): Promise<Float64Array> => (await hostMatrix(tensor)).values;

/** Number of rows, mean and covariance. */
export async function covarianceOf({ count, mean, scatter }: ScatterMoments) {
  const [rows = Number.NaN] = await count.data<'float32'>();
  return {
    count: rows,
    mean: await vectorOf(mean),
    covariance: mapped(await hostMatrix(scatter), (value) => value / rows),
  };
}

/** The statistics of a fit, and the variance of what is to be explained, summed over its columns. */
export async function fitStatisticsOf(
  moments: JointMoments,
): Promise<{ statistics: FitStatistics; variance: number }> {
  const own = await covarianceOf(moments);
  const [squares = Number.NaN] = await moments.targetSquares.data<'float32'>();
  const cross = mapped(await hostMatrix(moments.cross), (value) => value / own.count);
  return {
    statistics: { ...own, targetMean: await vectorOf(moments.targetMean), cross },
    variance: squares / own.count,
  };
}
