import fc from 'fast-check';
import { eigen } from '../../src/algebra/eigen';
import { singularValues } from '../../src/algebra/singular-values';
import {
  type Matrix,
  identityMatrix,
  matrixFrom,
  product,
  submatrix,
  trace,
  transposed,
} from '../../src/algebra/matrix';
import { randomStream } from '../../src/index';
import { correctionOf, ridgeOf, ridged } from '../../src/reconstruct/fit';
import {
  compensatedQueryKey,
  errorOf,
  freeQueryKey,
  freeValue,
  roots,
  solvedTwoSided,
} from '../../src/reconstruct/heads';
import { removalOrder } from '../../src/reconstruct/removal';

// Numbers by hand and by a second implementation: specification of training-free methods, section 7.
const square = (...values: number[]): Matrix =>
  matrixFrom(values, Math.sqrt(values.length), Math.sqrt(values.length));
const diagonal = (...values: number[]): Matrix =>
  matrixFrom(
    values.flatMap((value, i) => values.map((_, j) => (i === j ? value : 0))),
    values.length,
    values.length,
  );
const near = (actual: number | undefined, expected: number, digits = 6) =>
  expect(actual).toBeCloseTo(expected, digits);

/** The correction of W_S for what h_P·W_P added, from the whole covariance. */
function folded(sigma: Matrix, weight: Matrix, kept: readonly number[], ridge: number, mean = [0, 0]) {
  const gone = Array.from({ length: sigma.rows }, (_, i) => i).filter((i) => !kept.includes(i));
  const lost = submatrix(weight, gone, [...Array(weight.columns).keys()]);
  const meanOf = (units: readonly number[]) => units.map((unit) => mean[unit] ?? 0);
  return correctionOf(
    {
      count: Infinity,
      mean: Float64Array.from(meanOf(kept)),
      covariance: submatrix(sigma, kept, kept),
      targetMean: product(matrixFrom(meanOf(gone), 1, gone.length), lost).values,
      cross: product(submatrix(sigma, kept, gone), lost),
    },
    ridge,
  );
}

describe('the feed-forward network', () => {
  const sigma = square(2, 1, 1, 2);
  const weight = matrixFrom([1, 1], 2, 1);

  it('folds a unit into the other', () => {
    near(1 + (folded(sigma, weight, [0], 0).weight.values[0] ?? 0), 1.5);
    near(1 + (folded(sigma, weight, [0], 0.2).weight.values[0] ?? 0), 1 + 1 / 2.2);
  });

  it('scores a unit by the error that is left', () => {
    const { errors } = removalOrder(sigma, weight, { count: 1 });
    near(errors[0], 1.5);
  });

  it('folds a constant unit into the bias, exactly', () => {
    const { weight: moved, bias } = folded(diagonal(1, 0), matrixFrom([1, 3], 2, 1), [0], 1e-3, [0.5, 7]);
    expect(moved.values[0]).toBe(0);
    near(bias[0], 21);
  });

  it('loses nothing with one of two equal units', () => {
    near(1 + (folded(square(2, 2, 2, 2), weight, [0], 0).weight.values[0] ?? 0), 2);
  });

  it('corrects the bias alone under an infinite ridge', () => {
    const { weight: moved, bias } = folded(sigma, weight, [0], Infinity, [1, 4]);
    expect([...moved.values, ...bias]).toEqual([0, 4]);
  });

  it('the ridge is its share of the variance, more where rows are few, and a single column is not shrunk', () => {
    near(ridgeOf({ count: 5, covariance: diagonal(3) }), 3e-3);
    const [few, many] = [5, 1e9].map((count) => ridgeOf({ count, covariance: diagonal(4, 2, 1, 1) }));
    near(many, 2e-3, 6);
    expect(few).toBeGreaterThan(0.5);
    expect(few).toBeLessThanOrEqual(2 * (1 + 1e-3));
  });

  it('removal: the error grows with each unit, and is that of the best correction of those that are left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), fc.nat(), (F, seed) => {
        const sigma = covariance(F, seed);
        const weight = drawn(F, 2, seed + 1);
        const { removed, errors } = removalOrder(sigma, weight, { count: F - 1 });
        expect(new Set(removed).size).toBe(F - 1);
        errors.forEach((error, i) => {
          expect(error).toBeGreaterThanOrEqual(errors[i - 1] ?? 0);
          const gone = removed.slice(0, i + 1);
          const kept = [...Array(F).keys()].filter((unit) => !gone.includes(unit));
          const { weight: moved } = folded(sigma, weight, kept, 0);
          // E‖h·(W − W')‖², with W' the kept rows and their correction, and 0 elsewhere.
          const left = Float64Array.from(weight.values);
          for (const unit of kept)
            for (let column = 0; column < 2; column++) {
              left[unit * 2 + column] = -(moved.values[kept.indexOf(unit) * 2 + column] ?? 0);
            }
          const rest = matrixFrom(left, F, 2);
          const quadratic = product(product(transposed(rest), sigma), rest);
          near(error, (quadratic.values[0] ?? 0) + (quadratic.values[3] ?? 0), 6);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('removal: a unit of several columns goes as a whole, with the error that is left of all of them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 2, max: 3 }),
        fc.nat(),
        (units, copies, seed) => {
          const F = units * copies;
          const [sigma, weight] = [covariance(F, seed), drawn(F, 2, seed + 1)];
          const added = Array.from({ length: units }, (_, unit) => unit % 2);
          const { removed, errors } = removalOrder(sigma, weight, { count: units - 1, copies, added });
          let before = 0;
          errors.forEach((error, i) => {
            const errorWithout = (gone: readonly number[]): number => {
              const kept = [...Array(F).keys()].filter((column) => !gone.includes(column % units));
              const { weight: moved } = folded(sigma, weight, kept, 0);
              const left = Float64Array.from(weight.values);
              kept.forEach((column, row) => {
                for (const out of [0, 1]) left[column * 2 + out] = -(moved.values[row * 2 + out] ?? 0);
              });
              const rest = matrixFrom(left, F, 2);
              return (
                trace(product(product(transposed(rest), sigma), rest)) +
                gone.reduce((sum, unit) => sum + (added[unit] ?? 0), 0)
              );
            };
            const gone = removed.slice(0, i + 1);
            near(error, errorWithout(gone), 6);
            // No other would have cost less at its turn.
            for (let unit = 0; unit < units; unit++) {
              if (gone.includes(unit)) continue;
              expect(errorWithout([...removed.slice(0, i), unit])).toBeGreaterThanOrEqual(error - 1e-6);
            }
            expect(error).toBeGreaterThanOrEqual(before - 1e-9);
            before = error;
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('removal: so many columns that their inverse is brought up to date in parts', () => {
    const F = 80;
    const [sigma, weight] = [covariance(F, 7), drawn(F, 2, 8)];
    const { removed, errors } = removalOrder(sigma, weight, { count: F - 1 });
    expect(new Set(removed).size).toBe(F - 1);
    // Of one that is left: E‖h·W‖² less what it explains.
    const [last = -1] = [...Array(F).keys()].filter((unit) => !removed.includes(unit));
    const all = trace(product(product(transposed(weight), sigma), weight));
    const own = submatrix(sigma, [last], [...Array(F).keys()]);
    const explained =
      product(own, weight).values.reduce((sum, value) => sum + value ** 2, 0) / (own.values[last] ?? NaN);
    near(errors.at(-1), all - explained, 4);
  });

  it('removal: another order of the units gives the same units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), fc.nat(), (F, seed) => {
        const [sigma, weight] = [covariance(F, seed), drawn(F, 2, seed + 1)];
        const turned = Array.from({ length: F }, (_, unit) => (unit + 1) % F);
        const columns = [0, 1];
        const other = removalOrder(submatrix(sigma, turned, turned), submatrix(weight, turned, columns), {
          count: F - 1,
        });
        expect(other.removed.map((unit) => turned[unit])).toEqual(
          removalOrder(sigma, weight, { count: F - 1 }).removed,
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('queries and keys', () => {
  const query = square(4, 1, 0.5, 1, 2, 0.3, 0.5, 0.3, 1);
  const key = square(1, 0.2, -0.3, 0.2, 3, 0.4, -0.3, 0.4, 2);

  it('keep the dimension that logits need, not the one with the larger queries', () => {
    const { query: a, error } = freeQueryKey(diagonal(4, 1), diagonal(1, 9), 1);
    near(error, 4);
    near(a.values[0], 0);
  });

  it('have the singular values and errors of the example', () => {
    const { values } = singularValues(product(roots(query).root, roots(key).root));
    [2.824536, 1.668594, 1.256101].forEach((value, i) => near(values[i], value, 5));
    near(
      values.reduce((sum, value) => sum + value ** 2, 0),
      12.34,
    );
    near(freeQueryKey(query, key, 2).error, 1.577789);
    near(freeQueryKey(query, key, 1).error, 4.361994);
    near(errorOf(query, key, cut(3, [0, 1]), cut(3, [0, 1])), 2);
    near(compensatedQueryKey(query, key, [0, 1], 0).error, 1.987081);
  });

  it("solve CORP's equation by eigenvectors", () => {
    const c = square(1, 0.5, 0.2, 1);
    const solution = solvedTwoSided(eigen(diagonal(2, 1)), eigen(diagonal(1, 3)), c, 0.1);
    [0.47619, 0.081967, 0.181818, 0.322581].forEach((value, i) => near(solution.values[i], value));
  });

  it('keep every logit where every dimension is kept, and the more the better', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), (d, seed) => {
        const [q, k] = [covariance(d, seed), covariance(d, seed + 1)];
        const whole = freeQueryKey(q, k, d);
        near(largestDifference(product(whole.query, transposed(whole.key)), identityMatrix(d)), 0, 5);
        const errors = Array.from({ length: d + 1 }, (_, r) => freeQueryKey(q, k, r).error);
        errors.forEach((error, r) => {
          expect(error).toBeLessThanOrEqual(errors[r - 1] ?? Infinity);
          const { query: a, key: b } = freeQueryKey(q, k, r);
          if (r > 0) near(error, errorOf(q, k, a, b), 4);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('free dimensions lose no more than chosen ones, and compensated ones no more than those that are cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(), (d, seed) => {
        const [q, k] = [covariance(d, seed), covariance(d, seed + 1)];
        const kept = [...Array(Math.ceil(d / 2)).keys()];
        const compensated = compensatedQueryKey(q, k, kept, 1e-3).error;
        const plain = errorOf(q, k, cut(d, kept), cut(d, kept));
        expect(freeQueryKey(q, k, kept.length).error).toBeLessThanOrEqual(compensated + 1e-9);
        expect(compensated).toBeLessThanOrEqual(plain + 1e-9);
      }),
      { numRuns: 50 },
    );
  });

  it('stay bit for bit where what is gone was 0', () => {
    const [q, k] = [diagonal(4, 1, 0), diagonal(1, 9, 0)];
    const { query: a, key: b, error } = compensatedQueryKey(q, k, [0, 1], 1e-3);
    expect([...a.values]).toEqual([1, 0, 0, 1, 0, 0]);
    expect([...b.values]).toEqual([...a.values]);
    expect(error).toBe(0);
  });
});

describe('values', () => {
  it('keep the dimension that is read most', () => {
    const { value, error } = freeValue(diagonal(4, 1), diagonal(1, 3), 1);
    near(error, 4);
    near(value.values[0], 0);
  });

  it('have the errors of the example', () => {
    const covariance = square(2, 0.5, 0.1, 0.5, 1, 0.2, 0.1, 0.2, 0.8);
    const output = square(1, 0.5, 0, 0, 2, 1, 0.3, 0, 1);
    // The example writes y = W·o.
    const errors = [0, 1, 2, 3].map((r) => freeValue(covariance, transposed(output), r).error);
    [9.39, 2.0972, 0.542093, 0].forEach((error, r) => near(errors[r], error));
  });

  it('keep what a head adds where every dimension is kept', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), (d, seed) => {
        const { value, output } = freeValue(covariance(d, seed), drawn(d, 4, seed + 1), d);
        near(largestDifference(product(value, output), identityMatrix(d)), 0, 5);
      }),
      { numRuns: 50 },
    );
  });
});

it('a ridge stands on the diagonal', () => {
  expect([...ridged(square(1, 2, 2, 1), 3).values]).toEqual([4, 2, 2, 4]);
});

const cut = (d: number, kept: readonly number[]): Matrix =>
  submatrix(identityMatrix(d), [...Array(d).keys()], kept);

function drawn(rows: number, columns: number, seed: number): Matrix {
  const random = randomStream(seed, 'matrix');
  const values = Float64Array.from({ length: rows * columns }, () => random.normal());
  return matrixFrom(values, rows, columns);
}

function covariance(size: number, seed: number): Matrix {
  const x = drawn(size, size + 2, seed);
  return ridged(product(x, transposed(x)), 0.1);
}

const largestDifference = (a: Matrix, b: Matrix): number =>
  Math.max(...Array.from(a.values, (value, i) => Math.abs(value - (b.values[i] ?? Number.NaN))));
