import fc from 'fast-check';
import { type Choices, allocate, walkOf } from '../../src/allocation/allocate';
import { convexHull, increments } from '../../src/allocation/curve';
import { randomStream } from '../../src/random/random';

/** Sites of a few points each; costs are whole numbers where that is asked. */
const sitesOf = (seed: number, count: number, whole: boolean): Choices[] => {
  const random = randomStream(seed, 'sites');
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(5 * random.uniform()) }, () => ({
      cost: whole ? Math.floor(20 * random.uniform()) : 20 * random.uniform(),
      error: Math.floor(8 * random.uniform()) + random.uniform(),
    })),
  );
};
const few = fc.tuple(
  fc.nat(100_000),
  fc.integer({ min: 1, max: 5 }),
  fc.float({ min: 0, max: 1, noNaN: true }),
);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const extremes = (sites: readonly Choices[]) => ({
  least: sum(sites.map((points) => Math.min(...points.map(({ cost }) => cost)))),
  most: sum(sites.map((points) => Math.max(...points.map(({ cost }) => cost)))),
});
const budgetOf = (sites: readonly Choices[], share: number): number => {
  const { least, most } = extremes(sites);
  return least + share * (most - least);
};
/** The least error of all allocations within the budget, by trying them all. */
const leastError = (sites: readonly Choices[], budget: number): number => {
  const [first = [], ...rest] = sites;
  const errors = first.map(({ cost, error }) => {
    const left = budget - cost;
    if (rest.length === 0) return left >= -1e-9 ? error : Infinity;
    return error + leastError(rest, left);
  });
  return Math.min(...errors);
};

describe('the convex hull', () => {
  it('has the points that are best at some price, and no other', () => {
    fc.assert(
      fc.property(few, fc.float({ min: 0, max: 10, noNaN: true }), ([seed], price) => {
        const [points = []] = sitesOf(seed, 1, false);
        const value = (index: number) => (points[index]?.error ?? NaN) + price * (points[index]?.cost ?? NaN);
        const hull = convexHull(points);
        const best = Math.min(...points.map((_, index) => value(index)));
        expect(Math.min(...hull.map(value))).toBeCloseTo(best, 9);
        const costs = hull.map((index) => points[index]?.cost ?? NaN);
        expect(costs).toEqual([...new Set(costs)].toSorted((a, b) => b - a));
      }),
    );
  });

  it('increments never fall, add up to the whole, and stay below the curve', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 9, noNaN: true }), { minLength: 1, maxLength: 12 }),
        (added) => {
          const errors = [0];
          for (const value of added) errors.push((errors.at(-1) ?? 0) + value);
          const found = increments(errors);
          expect(found).toHaveLength(added.length);
          let reached = 0;
          found.forEach((value, gone) => {
            expect(value).toBeGreaterThanOrEqual((found[gone - 1] ?? 0) - 1e-9);
            reached += value;
            expect(reached).toBeLessThanOrEqual((errors[gone + 1] ?? 0) + 1e-9);
          });
          expect(reached).toBeCloseTo(errors.at(-1) ?? NaN, 9);
        },
      ),
    );
  });
});

describe('an allocation', () => {
  it('is the best there is, where costs are whole numbers', () => {
    fc.assert(
      fc.property(few, ([seed, count, share]) => {
        const sites = sitesOf(seed, count, true);
        const budget = budgetOf(sites, share);
        const { error, cost } = allocate(sites, budget);
        expect(cost).toBeLessThanOrEqual(budget + 1e-9);
        expect(error).toBeCloseTo(leastError(sites, budget), 9);
      }),
      { numRuns: 300 },
    );
  });

  it('is never above the budget, and never below the bound that it gives', () => {
    fc.assert(
      fc.property(few, ([seed, count, share]) => {
        const sites = sitesOf(seed, count, false);
        const budget = budgetOf(sites, share);
        const { chosen, cost, error, bound } = allocate(sites, budget);
        expect(chosen.every((index, site) => sites[site]?.[index] !== undefined)).toBe(true);
        expect(cost).toBeLessThanOrEqual(budget * (1 + 1e-9) + 1e-9);
        expect(bound).toBeLessThanOrEqual(leastError(sites, budget) + 1e-9);
        const corner = walkOf(sites).findLast((own) => own.cost <= budget);
        expect(error).toBeLessThanOrEqual((corner?.error ?? NaN) + 1e-9);
      }),
      { numRuns: 300 },
    );
  });

  it('has no more error with more to spend, where costs are whole numbers', () => {
    fc.assert(
      fc.property(few, fc.float({ min: 0, max: 1, noNaN: true }), ([seed, count, share], more) => {
        const sites = sitesOf(seed, count, true);
        const [a, b] = [budgetOf(sites, share), budgetOf(sites, share + (1 - share) * more)];
        expect(allocate(sites, b).error).toBeLessThanOrEqual(allocate(sites, a).error + 1e-9);
      }),
    );
  });

  it('says the least budget there is', () => {
    const sites = [[{ cost: 3, error: 1 }], [{ cost: 2, error: 0 }]];
    expect(() => allocate(sites, 4.5)).toThrow('at least 5, got 4.5');
    expect(allocate(sites, 5)).toMatchObject({ cost: 5, error: 1, bound: 1 });
  });

  it('is within a twentieth of the bound for convex curves of many units', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.float({ min: Math.fround(0.1), max: Math.fround(0.9), noNaN: true }),
        (seed, share) => {
          const random = randomStream(seed, 'curves');
          const sites = Array.from({ length: 8 }, (_, site) => {
            const [units, unitCost] = site % 2 ? [64, 9234] : [256, 769];
            const scale = Math.exp(2 * random.normal());
            return Array.from({ length: units }, (_, gone) => ({
              cost: (units - gone) * unitCost,
              error: scale * (gone / units) ** 2,
            }));
          });
          const budget = budgetOf(sites, share);
          const { cost, error, bound } = allocate(sites, budget);
          expect(cost).toBeLessThanOrEqual(budget);
          expect(error).toBeLessThanOrEqual(1.05 * bound);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('the walk along the front', () => {
  it('goes from the cheapest to the dearest with ever less error', () => {
    fc.assert(
      fc.property(few, ([seed, count]) => {
        const sites = sitesOf(seed, count, false);
        const corners = walkOf(sites);
        expect(corners[0]?.cost).toBeCloseTo(extremes(sites).least, 9);
        corners.slice(1).forEach((own, index) => {
          expect(own.cost).toBeGreaterThan(corners[index]?.cost ?? NaN);
          expect(own.error).toBeLessThan(corners[index]?.error ?? NaN);
        });
      }),
    );
  });
});
