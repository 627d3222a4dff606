import {
  type Tensor1D,
  type Tensor2D,
  add,
  mul,
  relu,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { columnProducts, unitRows } from '@winnow/core';
import { weightRanker } from './ranker';

/** Σ of the distances to the site's other units (Equation 5): those near to the geometric median can be replaced by others. */
export const fpgm = weightRanker(
  {
    name: 'fpgm',
    title: 'Geometric median',
    paper:
      'He et al., Filter Pruning via Geometric Median for Deep Convolutional Neural Networks Acceleration, CVPR 2019',
    summary: 'units whose weights are nearest to those of all others of their site',
    scope: 'per-site',
    scale: 'none',
  },
  (site, { params }) => {
    const distances = tidy(() => {
      const rows = unitRows(site, params); // [units, entries]
      const squares = sum(square(rows), 1, true); // [units, 1]
      const columns: Tensor2D = transpose(rows);
      const products = columnProducts(columns, columns); // [units, units]
      const squared = sub(add(squares, reshape(squares, [1, -1])), mul(products, 2));
      return sum<Tensor1D>(sqrt(relu(squared)), 1);
    });
    const found = distances.dataSync<'float32'>().slice();
    distances.dispose();
    return found;
  },
);
