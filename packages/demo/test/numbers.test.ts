import fc from 'fast-check';
import { count, duration, fileSize } from '../src/page/numbers';

test('sizes and times have three digits and a unit, and no exponent', () => {
  expect([duration(8.126), duration(271), duration(999.4), duration(999.6), duration(2190)]).toEqual([
    ...['8.13 ms', '271 ms', '999 ms', '1.00 s', '2.19 s'],
  ]);
  expect([fileSize(6100), fileSize(86.3e6), fileSize(999.9e6), fileSize(1.5e9)]).toEqual([
    ...['6.10 kB', '86.3 MB', '1.00 GB', '1.50 GB'],
  ]);
  expect([count(0), count(950), count(21_600_000)]).toEqual(['0', '950', '21.6 M']);
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 900_000, noNaN: true }), (value) => {
      expect(duration(value)).not.toContain('e');
      expect(fileSize(value * 1e5)).not.toContain('e');
    }),
  );
});
