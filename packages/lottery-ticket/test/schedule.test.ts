import fc from 'fast-check';
import { roundTargets, schedules } from '../src/schedule';

describe('rounds', () => {
  it('leave 90, 80, …, 10 % of the original weights', () => {
    expect(roundTargets('original-fraction', 0.1, 1000, 900)).toEqual([
      100, 200, 300, 400, 500, 600, 700, 800, 900,
    ]);
  });

  it('leave 80, 64, 51.2 % of the survivors, and the last takes what is missing', () => {
    expect(roundTargets('survivor-fraction', 0.2, 1000, 500)).toEqual([200, 360, 488, 500]);
  });

  it('are exact to one weight, rise, and end where asked', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...schedules),
        fc.double({ min: 0.02, max: 0.9, noNaN: true }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 0.95, noNaN: true }),
        (schedule, fraction, total, share) => {
          const removed = Math.floor(total * share);
          const targets = roundTargets(schedule, fraction, total, removed);
          expect(targets.at(-1) ?? 0).toBe(removed);
          targets.forEach((target, index) => {
            const before = targets[index - 1] ?? 0;
            expect(target).toBeGreaterThan(before);
            const due =
              total *
              (schedule === 'original-fraction' ? fraction * (index + 1) : 1 - (1 - fraction) ** (index + 1));
            const isCut = target === removed;
            const isLeast = target === before + 1;
            expect(isCut || isLeast || Math.abs(target - due) <= 1).toBe(true);
          });
        },
      ),
    );
  });

  it('of a longer run begin with those of a shorter one', () => {
    const shorter = roundTargets('original-fraction', 0.1, 12_345, Math.ceil(0.5 * 12_345));
    const longer = roundTargets('original-fraction', 0.1, 12_345, Math.ceil(0.8 * 12_345));
    expect(longer.slice(0, shorter.length)).toEqual(shorter);
  });

  it('are refused where they would not end', () => {
    expect(() => roundTargets('original-fraction', 0, 10, 5)).toThrow(/between 0 and 1/);
    expect(() => roundTargets('survivor-fraction', 1e-4, 1_000_000, 900_000)).toThrow(
      /more than 1000 rounds/,
    );
  });
});
