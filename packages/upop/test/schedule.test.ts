import { maskInterval, progress, progressSchedules } from '../src/schedule';
import { roundShare } from '../src/rounds';

describe.each(progressSchedules)('schedule %s', (schedule) => {
  it.each([1, 2, 7, 100])('grows from near 0 to exactly 1 in %i steps', (steps) => {
    const shares = Array.from({ length: steps }, (_, step) => progress(schedule, step, steps));
    expect(shares.at(-1)).toBe(1);
    shares.slice(1).forEach((share, index) => {
      expect(share).toBeGreaterThan(shares[index] ?? Infinity);
    });
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
    if (steps === 100) expect(shares[0]).toBeLessThan(0.025);
  });
});

it('follows the published formulas', () => {
  // Eq. 18 at t + 1: √(½(1 − cos(π·25/100))); Eq. 14: 24/99; Table 14, row 2, at t + 1: (200 − 25 + 1)·25/(101·100).
  expect(progress('cosine', 24, 100)).toBeCloseTo(0.3826834, 6);
  expect(progress('uniform', 24, 100)).toBeCloseTo(24 / 99, 12);
  expect(progress('quadratic', 24, 100)).toBeCloseTo((176 * 25) / 10100, 12);
});

it('compresses slowly at both ends: the actual ratio p_t²/p is an S-curve (Eq. 15, 17)', () => {
  const actual = (step: number) => progress('cosine', step, 1000) ** 2;
  const growth = (step: number) => actual(step + 10) - actual(step);
  expect(growth(0)).toBeLessThan(growth(490) / 10);
  expect(growth(980)).toBeLessThan(growth(490) / 10);
});

it('updates masks once for each percent of p, or as asked', () => {
  expect(maskInterval(0, 1000, 0.5)).toBe(20); // the example of Appendix C.3
  expect(maskInterval(0, 10, 0.9)).toBe(1);
  expect(maskInterval(50, 1000, 0.5)).toBe(50);
});

describe('rounds', () => {
  it.each([
    [60, 5],
    [7, 3],
    [3, 5],
    [1, 5],
  ])('reach the whole target in %i steps and %i rounds, in growing shares', (steps, rounds) => {
    const shares = Array.from({ length: steps }, (_, step) => roundShare(step, steps, rounds)).filter(
      (share) => share !== undefined,
    );
    expect(shares.at(-1)).toBe(1);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(new Set(shares).size).toBe(shares.length);
  });

  it('are training and then removal, the last one at the last step', () => {
    const removals = Array.from({ length: 60 }, (_, step) => roundShare(step, 60, 5));
    expect(removals.flatMap((share, step) => (share === undefined ? [] : [[step, share]]))).toEqual([
      [11, 0.2],
      [23, 0.4],
      [35, 0.6],
      [47, 0.8],
      [59, 1],
    ]);
  });
});
