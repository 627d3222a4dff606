import { type Tensor2D, tidy, transpose } from '@tensorflow/tfjs-core';
import { columnProducts, unitRows } from '@winnow/core';
import { weightRanker } from './ranker';

/** The share of the longest squared length that counts as unexplained: below it there is nothing but rounding. */
const EXPLAINED = 1e-6;

/**
 * The order in which units are kept: always that whose weights the kept ones explain least, by what is left of them after a
 * projection. Once they explain all, the rest is ordered in the same way, anew. This is Cholesky's method with pivots on the
 * products of all pairs.
 * @param products w·w' of all pairs of units, [units, units].
 */
export function keepingOrder(products: ArrayLike<number>, units: number): number[] {
  const order: number[] = [];
  let rest = Array.from({ length: units }, (_, unit) => unit);
  while (rest.length > 0) {
    const residual = new Map(rest.map((unit) => [unit, products[unit * units + unit] ?? 0]));
    const least = EXPLAINED * Math.max(...residual.values());
    const columns: Float64Array[] = [];
    for (;;) {
      const [pivot, left] = [...residual].reduce(
        (best, one) => (one[1] > best[1] ? one : best),
        [-1, -Infinity],
      );
      if (pivot < 0 || (columns.length > 0 && left <= least)) break;
      order.push(pivot);
      residual.delete(pivot);
      const column = new Float64Array(units);
      const root = Math.sqrt(Math.max(left, 0));
      for (const [unit, before] of residual) {
        let product = products[pivot * units + unit] ?? 0;
        for (const earlier of columns) product -= (earlier[pivot] ?? 0) * (earlier[unit] ?? 0);
        const explained = root > 0 ? product / root : 0;
        column[unit] = explained;
        residual.set(unit, before - explained ** 2);
      }
      columns.push(column);
    }
    rest = [...residual.keys()];
  }
  return order;
}

/** Units in the order in which Gram and Schmidt would keep them, by what makes them: rows of W₁ with their biases. */
export const gramSchmidt = weightRanker(
  {
    name: 'gram-schmidt',
    title: 'Gram–Schmidt',
    paper: 'Diversity-Guided MLP Reduction for Efficient Large Vision Transformers, 2025 (DGMR)',
    summary: 'units whose weights the kept units of their site explain best',
    scope: 'per-site',
    scale: 'none',
  },
  (site, { params }) => {
    const products = tidy(() => {
      const columns: Tensor2D = transpose(unitRows(site, params, 'producer'));
      return columnProducts(columns, columns);
    });
    const order = keepingOrder(products.dataSync<'float32'>(), site.units);
    products.dispose();
    const importance = new Float64Array(site.units);
    order.forEach((unit, rank) => {
      importance[unit] = (site.units - rank) / site.units;
    });
    return importance;
  },
);
