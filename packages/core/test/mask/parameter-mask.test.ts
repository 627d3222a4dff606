import fc from 'fast-check';
import {
  checkMasks,
  entriesOfMask,
  keptCount,
  maskFrom,
  maskSize,
  maskedCount,
} from '../../src/mask/parameter-mask';

const kept = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([rows, columns]) =>
    fc.record({
      shape: fc.constant([rows, columns]),
      entries: fc.array(fc.integer({ min: 0, max: 1 }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      }),
    }),
  );

describe('a mask of a parameter', () => {
  it('gives back the entries it was made of, also through JSON, and counts them', () => {
    fc.assert(
      fc.property(kept, ({ shape, entries }) => {
        const mask = maskFrom(entries, shape);
        const copy = JSON.parse(JSON.stringify(mask)) as typeof mask;
        expect(copy).toEqual(mask);
        expect([...entriesOfMask(copy)]).toEqual(entries);
        const ones = entries.filter((entry) => entry === 1).length;
        expect(keptCount(mask)).toBe(ones);
        expect(maskedCount({ a: mask, b: mask })).toBe(2 * (maskSize(mask) - ones));
      }),
    );
  });

  it('is written as worked out by hand: entry i is bit i mod 8 of byte ⌊i/8⌋', () => {
    // 1010 0000 | 11 → bytes 0b00000101 and 0b00000011.
    const mask = maskFrom([1, 0, 1, 0, 0, 0, 0, 0, 1, 1], [2, 5]);
    expect(mask).toEqual({ kind: 'mask', shape: [2, 5], bits: Buffer.from([5, 3]).toString('base64') });
  });

  it('holds more bytes than are written at once', () => {
    const size = 8 * 60_000 + 3;
    const entries = Uint8Array.from({ length: size }, (_, i) => ((i * 2654435761) >>> 7) & 1);
    expect(entriesOfMask(maskFrom(entries, [size]))).toEqual(entries);
  });

  it.each([
    ['too few bits', { kind: 'mask', shape: [3, 3], bits: 'AA==' }, /expected 9 bits .* got 1 bytes/],
    ['bits after the last entry', { kind: 'mask', shape: [3], bits: 'CA==' }, /expected 3 bits/],
    ['no base64', { kind: 'mask', shape: [3], bits: '*' }, /expected base64/],
  ] as const)('is refused with %s', (_what, mask, message) => {
    expect(() => entriesOfMask(mask)).toThrow(message);
    expect(() => keptCount({ ...mask, bits: '*' })).toThrow(RangeError);
  });

  it('is refused where it does not fit the model', () => {
    const specs = { a: { shape: [2, 2] } };
    const mask = maskFrom([1, 1, 0, 1], [2, 2]);
    expect(() => checkMasks({ a: mask }, specs)).not.toThrow();
    expect(() => checkMasks({ b: mask }, specs)).toThrow(/for b, which the model does not have/);
    expect(() => checkMasks({ a: maskFrom([1, 1], [2, 1]) }, specs)).toThrow(
      /the mask of a is for \[2, 1\], the model has \[2, 2\]/,
    );
    expect(() => maskFrom([1], [2, 2])).toThrow(/expected 4 entries/);
  });
});
