import { memory, tensor2d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { dampedFactor, solved } from '../../src/algebra/cholesky';
import { mapped, matrixFrom } from '../../src/algebra/matrix';
import { randomStream } from '../../src/index';
import { ridgeSolve } from '../../src/operations/ridge-solve';
import { describeOnEveryEngine } from '../engine/every-engine';

/** Σ = XᵀX of 2W rows, with large and small columns, and C. */
function drawnSystem(W: number, V: number, seed: number) {
  const random = randomStream(seed, 'system');
  const rows = Array.from({ length: 2 * W }, () =>
    Array.from({ length: W }, (_, column) => random.normal() * (column % 3 === 0 ? 10 : 1)),
  );
  const sums = Array.from({ length: W * W }, (_, at) =>
    rows.reduce((sum, row) => sum + (row[Math.floor(at / W)] ?? 0) * (row[at % W] ?? 0), 0),
  );
  return { sums, cross: Array.from({ length: W * V }, () => random.normal()) };
}

describeOnEveryEngine('a ridge solution', () => {
  it('is that of the host in double precision, to the precision of float32', () => {
    const widths = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        widths,
        widths,
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.nat(),
        (W, V, ridge, seed) => {
          const { sums, cross } = drawnSystem(W, V, seed);
          const scale = 1 / (2 * W);
          const rounded = matrixFrom(Float32Array.from(sums), W, W);
          const whole = mapped(rounded, (value, i, j) => value * scale + (i === j ? ridge : 0));
          const wanted = mapped(matrixFrom(Float32Array.from(cross), W, V), (value) => value * scale);
          const expected = solved(dampedFactor(whole).factor, wanted).values;
          tidy(() => {
            const own = { sums: tensor2d(sums, [W, W]), cross: tensor2d(cross, [W, V]), scale, ridge };
            const { solution, damping } = ridgeSolve(own);
            expect([solution.shape, [...damping.dataSync()]]).toEqual([[W, V], [0]]);
            const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            solution.dataSync().forEach((value, i) => {
              expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(1e-6 * largest);
            });
          });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('lets the diagonal grow as little as makes sums positive that rounding did not leave so, and tells the share', () => {
    const large = 1e5;
    const twice = large * (1 + 6e-8);
    const { numTensors } = memory();
    const sums = tensor2d([large, twice, 0, twice, large, 0, 0, 0, 1], [3, 3]);
    const cross = tensor2d([large, large, 1], [3, 1]);
    const { solution, damping } = ridgeSolve({ sums, cross, scale: 1, ridge: 0 });
    const [first = 0, second = 0, third] = solution.dataSync();
    expect(damping.dataSync()[0]).toBeCloseTo(1e-7, 12);
    expect(first + second).toBeCloseTo(1, 4);
    expect(third).toBeCloseTo(1, 4);
    for (const each of [sums, cross, solution, damping]) each.dispose();
    expect(memory().numTensors).toBe(numTensors);
  });

  it('is refused of what is no covariance', () => {
    tidy(() => {
      const system = { sums: tensor2d([1, 2, 2, 1], [2, 2]), cross: tensor2d([1, 1], [2, 1]) };
      expect(() => ridgeSolve({ ...system, scale: 1, ridge: 0 })).toThrow('not positive definite');
    });
  });
});
