import fc from 'fast-check';
import { middleOf, wilson } from '../../src/statistics/interval';

test('Wilson’s interval is that of Newcombe’s tables (1998, Table I)', () => {
  for (const [hits, trials, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const found = wilson(hits, trials);
    expect([found.low, found.high].map((bound) => Number(bound.toFixed(4)))).toEqual([low, high]);
  }
});

test('the interval of a median leaves out as many numbers at each end as a binomial table allows', () => {
  const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1);
  for (const [n, low, high] of [
    [5, 1, 5],
    [6, 1, 6],
    [9, 2, 8],
    [15, 4, 12],
    [20, 6, 15],
    [21, 6, 16],
  ] as const) {
    expect(middleOf(upTo(n))).toEqual({ median: (n + 1) / 2, low, high });
  }
});

test('a median lies in its interval, whatever the order of the numbers', () => {
  const numbers = fc.array(fc.double({ noNaN: true, min: 0.1, max: 1e3 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(numbers, (found) => {
      const { median, low, high } = middleOf(found);
      expect(low <= median && median <= high).toBe(true);
      expect(middleOf([...found].reverse())).toEqual({ median, low, high });
    }),
  );
});
