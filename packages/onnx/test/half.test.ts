import fc from 'fast-check';
import { halfOf, numberOfHalf } from '../src/file/half';

/** All finite numbers that float16 has, in order. */
const all = Array.from({ length: 0x7c00 }, (_, bits) => numberOfHalf(bits));

test('every float16 stands for itself', () => {
  all.forEach((value, bits) => {
    expect(halfOf(value)).toBe(bits);
  });
  expect([halfOf(-1), halfOf(Infinity), halfOf(-Infinity)]).toEqual([0xbc00, 0x7c00, 0xfc00]);
  expect(numberOfHalf(halfOf(Number.NaN))).toBeNaN();
});

test('a number becomes the nearest one, of two the even one', () => {
  const greatest = 65504;
  fc.assert(
    fc.property(fc.float({ min: -greatest, max: greatest, noNaN: true }), (value) => {
      const bits = halfOf(value);
      const found = numberOfHalf(bits);
      const own = Math.abs(found - value);
      for (const neighbour of [bits - 1, bits + 1]) {
        if ((neighbour & 0x7fff) >= 0x7c00 || (neighbour & 0x8000) !== (bits & 0x8000)) continue;
        const apart = Math.abs(numberOfHalf(neighbour) - value);
        expect(apart > own || (apart === own && (bits & 1) === 0)).toBe(true);
      }
    }),
  );
});
