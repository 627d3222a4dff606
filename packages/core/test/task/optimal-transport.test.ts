import { mul, randomNormal, sum, tensor2d, tidy, transpose, valueAndGrad } from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { optimalTransport, transportPlan } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

describeOnEveryEngine('optimal transport', () => {
  const cost = () => tensor2d([0.2, 0.9, 0.4, 0.7, 0.3, 0.5], [2, 3]);
  const distance = (iterations: number) =>
    sum(mul(cost(), transpose(transportPlan(cost(), { iterations })))).dataSync()[0];

  it('costs what the algorithm says after one round and after fifty', () => {
    tidy(() => {
      expect(distance(1)).toBeCloseTo(0.406343, 5);
      expect(distance(50)).toBeCloseTo(0.316667, 5);
    });
  });

  it('has columns that add up to 1/m, and rows that tend to 1/n', () => {
    tidy(() => {
      const plan = transportPlan(
        randomNormal<Tensor2D['rankType']>([4, 7], 0.5, 0.2, 'float32', 3) as Tensor2D,
      );
      expect(plan.shape).toEqual([7, 4]);
      for (const column of sum(plan, 0).dataSync()) expect(column).toBeCloseTo(1 / 4, 5);
      for (const row of sum(plan, 1).dataSync()) expect(row).toBeCloseTo(1 / 7, 2);
    });
  });

  it('costs nothing where all are there in another order, and moves the states alone', () => {
    tidy(() => {
      const one = tensor2d([1, 0, 0, 0, 2, 0, 0, 0, 3], [3, 3]);
      const other = tensor2d([0, 0, 1, 5, 0, 0, 0, 1, 0], [3, 3]);
      expect(optimalTransport(one, other).dataSync()[0]).toBeCloseTo(0, 3);
      const { value, grad } = valueAndGrad((own) => optimalTransport(own as Tensor2D, other))(
        tensor2d([1, 0.2, 0, 0.3, 1, 0, 0.1, 0, 1], [3, 3]),
      );
      expect(value.dataSync()[0]).toBeGreaterThan(0);
      expect(grad.dataSync().every(Number.isFinite)).toBe(true);
    });
  });
});
