import fc from 'fast-check';
import { fitted, fittedRatios } from '../src/page/axis';

describe('an axis', () => {
  const value = fc.double({ min: 0, max: 100, noNaN: true });

  it('shows every point, no less than it is told and not much more than it needs, with ticks at round numbers', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), (values) => {
        const { min, max, ticks } = fitted(values, { leastSpan: 10, within: [0, 100] });
        const [low, high] = [Math.min(...values), Math.max(...values)];
        expect(min).toBeLessThanOrEqual(low + 1e-9);
        expect(max).toBeGreaterThanOrEqual(high - 1e-9);
        expect(min).toBeGreaterThanOrEqual(0);
        expect(max).toBeLessThanOrEqual(100);
        // At a bound half of what is shown at least is missing.
        expect(max - min).toBeGreaterThanOrEqual(5 - 1e-9);
        expect(max - min).toBeLessThanOrEqual(2 * Math.max(10, (high - low) * 1.12));
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(12);
      }),
    );
  });
  it('does not let half a point fill it', () => {
    const { min, max } = fitted([60.2, 60.7], { leastSpan: 10 });
    expect(max - min).toBeGreaterThanOrEqual(10);
  });
  it('is not wide because of points that are not there', () => {
    expect(fitted([87, 89, 92], { leastSpan: 10, within: [0, 100] })).toMatchObject({ min: 84, max: 96 });
  });
  it('of ratios has equal ratios equally far apart, and a few ticks among them', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
        const { min, max, ticks } = fittedRatios(values, 1.5);
        for (const each of values) {
          expect(Math.log10(each)).toBeGreaterThanOrEqual(min - 1e-9);
          expect(Math.log10(each)).toBeLessThanOrEqual(max + 1e-9);
        }
        expect(max - min).toBeGreaterThanOrEqual(Math.log10(1.5) - 1e-9);
        expect(ticks.length).toBeGreaterThan(0);
        expect(ticks.length).toBeLessThanOrEqual(14);
      }),
    );
    expect(fittedRatios([1, 2, 4], 1.5).ticks.map((tick) => Number((10 ** tick).toFixed(3)))).toEqual([
      1, 1.5, 2, 3,
    ]);
  });
});
