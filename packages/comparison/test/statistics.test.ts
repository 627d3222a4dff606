import fc from 'fast-check';
import { leastStandardError, pairedDifference, spreadOf, studentQuantile, verdictOf } from '../src/index';

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
  // A test set so large that only the seeds count.
  const of = (list: readonly (readonly [number, number])[], confidence = 0.95, testExamples = 1e12) =>
    pairedDifference(seeded(list.map(([a]) => a)), seeded(list.map(([, b]) => b)), {
      confidence,
      testExamples,
    });

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
      { confidence: 0.95, testExamples: 100 },
    );
    expect(found).toEqual({ seeds: 1, mean: 3, interval: null });
    const apart = { confidence: 0.95, testExamples: 100 };
    expect(pairedDifference(new Map([[1, 5]]), new Map([[2, 5]]), apart)).toBeUndefined();
  });
  it('of equal differences have an interval of some width: the test set is still one of many', () => {
    const equal = (seeds: number, difference: number) =>
      of(
        Array.from({ length: seeds }, (_, seed) => [50 + seed, 50 + seed - difference] as const),
        0.95,
        565,
      );
    for (const seeds of [2, 3, 10]) {
      const [low = NaN, high = NaN] = equal(seeds, 1.77)?.interval ?? [];
      // b = 10 of 565 examples: 1.96 · 100 · √(10 + 1 − 10²/567) / 567
      expect(high - low).toBeCloseTo(2 * 1.137, 2);
      const [same = NaN] = equal(seeds, 0)?.interval ?? [];
      expect(same).toBeCloseTo((-1.96 * 100) / 567, 3);
    }
    // 0.7 points of 565 examples are four, which chance may have put on one side.
    const small = equal(10, 0.7);
    expect(small && verdictOf(small)).toBe(0);
    const large = equal(3, 1.77);
    expect(large && verdictOf(large)).toBe(1);
  });
  it('of two seeds decide nothing, however large they are', () => {
    for (const list of [
      [
        [90, 10],
        [90, 10],
      ],
      [
        [90, 10],
        [91, 10],
      ],
      [
        [10, 90],
        [10, 90],
      ],
    ] as const) {
      const found = of(list);
      expect(found?.interval).not.toBeNull();
      expect(found && verdictOf(found)).toBe(0);
    }
  });
});

describe('the least standard error', () => {
  const examples = fc.integer({ min: 2, max: 500 });

  it('is below what any table of right and wrong answers gives whose scores differ as much', () => {
    fc.assert(
      fc.property(examples, fc.nat(), fc.nat(), (n, one, other) => {
        const [first, second] = [one % (n + 1), other % (n + 1 - (one % (n + 1)))];
        // Agresti and Min, of n₁₀ = first and n₀₁ = second.
        const [cells, apart] = [n + 2, first - second];
        const variance = (first + second + 1 - apart ** 2 / cells) / cells ** 2;
        const least = leastStandardError((100 * apart) / n, n);
        expect(least).toBeLessThanOrEqual(100 * Math.sqrt(variance) * (1 + 1e-9));
        if (Math.min(first, second) === 0) close(least, 100 * Math.sqrt(variance));
      }),
    );
  });
  it('shrinks with the test set, and does not see which model is the better', () => {
    fc.assert(
      fc.property(examples, fc.double({ min: 0, max: 100, noNaN: true }), (n, difference) => {
        const least = leastStandardError(difference, n);
        expect(least).toBeGreaterThan(0);
        expect(leastStandardError(-difference, n)).toBe(least);
        expect(leastStandardError(difference, 4 * n)).toBeLessThan(least);
      }),
    );
  });
});
