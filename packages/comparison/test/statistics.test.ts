import fc from 'fast-check';
import { pairedDifference, spreadOf, studentQuantile, verdictOf } from '../src/index';

const value = fc.double({ min: -100, max: 100, noNaN: true });
const values = fc.array(value, { minLength: 2, maxLength: 12 });
const seeded = (numbers: readonly number[]) => new Map(numbers.map((number, seed) => [seed, number]));
const close = (a: number, b: number) => {
  expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-7 * (1 + Math.abs(a) + Math.abs(b)));
};

describe('spread', () => {
  it('moves with what is added, scales with what is multiplied, and does not see the order', () => {
    fc.assert(
      fc.property(values, value, fc.double({ min: 0.1, max: 10, noNaN: true }), (numbers, shift, scale) => {
        const plain = spreadOf(numbers);
        const moved = spreadOf(numbers.map((number) => scale * number + shift));
        close(moved.mean, scale * plain.mean + shift);
        close(moved.deviation ?? NaN, scale * (plain.deviation ?? NaN));
        const turned = spreadOf([...numbers].reverse());
        close(turned.mean, plain.mean);
      }),
    );
  });
  it('is that of a sample: n − 1', () => {
    expect(spreadOf([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ seeds: 8, mean: 5, deviation: Math.sqrt(32 / 7) });
  });
  it('of one seed has no deviation, of none does not exist', () => {
    expect(spreadOf([3])).toEqual({ seeds: 1, mean: 3, deviation: null });
    expect(() => spreadOf([])).toThrow(/at least one/);
  });
});

describe('quantiles of Student', () => {
  it('are those of printed tables', () => {
    const table: [share: number, freedom: number, t: number][] = [
      [0.975, 1, 12.706],
      [0.975, 2, 4.303],
      [0.975, 4, 2.776],
      [0.995, 9, 3.25],
      [0.95, 30, 1.697],
      [0.5, 3, 0],
    ];
    for (const [share, freedom, t] of table) expect(studentQuantile(share, freedom)).toBeCloseTo(t, 3);
  });
});

describe('paired differences', () => {
  const pairs = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 10 });
  const of = (list: readonly (readonly [number, number])[], confidence = 0.95) =>
    pairedDifference(seeded(list.map(([a]) => a)), seeded(list.map(([, b]) => b)), confidence);

  it('turn around when the two change places', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const [there, back] = [of(list), of(list.map(([a, b]) => [b, a] as const))];
        if (there === undefined || back === undefined) throw new Error('expected differences');
        close(there.mean, -back.mean);
        close(there.interval?.[0] ?? NaN, -(back.interval?.[1] ?? NaN));
        expect(verdictOf(there) + verdictOf(back)).toBe(0);
      }),
    );
  });
  it('do not see what a seed adds to both', () => {
    fc.assert(
      fc.property(pairs, fc.array(value, { minLength: 10, maxLength: 10 }), (list, shifts) => {
        const moved = list.map(([a, b], seed) => [a + (shifts[seed] ?? 0), b + (shifts[seed] ?? 0)] as const);
        close(of(list)?.mean ?? NaN, of(moved)?.mean ?? NaN);
      }),
    );
  });
  it('have wider intervals for more confidence, always around the mean', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const [narrow, wide] = [of(list, 0.9), of(list, 0.99)];
        const [low, high] = wide?.interval ?? [NaN, NaN];
        expect(low).toBeLessThanOrEqual(narrow?.interval?.[0] ?? NaN);
        expect(high).toBeGreaterThanOrEqual(narrow?.interval?.[1] ?? NaN);
        expect(wide?.mean).toBeGreaterThanOrEqual(low);
      }),
    );
  });
  it('have an interval that holds the truth as often as it says', () => {
    // Differences of mean 0: of 2000 intervals of 80 %, about 400 must miss it.
    let state = 12345;
    const uniform = () => {
      state = (1103515245 * state + 12345) % 2147483648;
      return state / 2147483648;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    const missed = Array.from({ length: 2000 }, () =>
      of(
        Array.from({ length: 3 }, () => [normal(), normal()] as const),
        0.8,
      ),
    ).filter((found) => found !== undefined && verdictOf(found) !== 0).length;
    expect(missed / 2000).toBeGreaterThan(0.17);
    expect(missed / 2000).toBeLessThan(0.23);
  });
  it('compare only seeds that both have', () => {
    const found = pairedDifference(
      new Map([
        [1, 5],
        [2, 7],
      ]),
      new Map([
        [2, 4],
        [3, 0],
      ]),
      0.95,
    );
    expect(found).toEqual({ seeds: 1, mean: 3, interval: null });
    expect(pairedDifference(new Map([[1, 5]]), new Map([[2, 5]]), 0.95)).toBeUndefined();
  });
});
