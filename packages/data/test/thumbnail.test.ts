import fc from 'fast-check';
import sharp from 'sharp';
import { thumbnail } from '../src/index';
import { normaliser } from '../src/picture/normalisation';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const three = (min: number, max: number) => fc.tuple(number(min, max), number(min, max), number(min, max));

describe('a thumbnail', () => {
  it('shows the picture that was normalised, whatever by, and no larger than it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(
          fc.integer({ min: 0, max: 255 }),
          fc.integer({ min: 0, max: 255 }),
          fc.integer({ min: 0, max: 255 }),
        ),
        fc.record({ mean: three(0, 1), std: three(0.1, 1) }),
        fc.integer({ min: 1, max: 24 }),
        async (colour, normalisation, side) => {
          const levels = Uint8Array.from({ length: side * side * 3 }, (_, place) => colour[place % 3] ?? 0);
          const pixels = new Float32Array(levels.length);
          normaliser(normalisation)(levels, pixels, 0);
          const uri = await thumbnail(pixels, normalisation, 8);
          const jpeg = Buffer.from(uri.replace(/^data:image\/jpeg;base64,/, ''), 'base64');
          const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
          expect([info.width, info.height]).toEqual([Math.min(8, side), Math.min(8, side)]);
          for (const [channel, level] of colour.entries())
            expect(Math.abs((data[channel] ?? 0) - level)).toBeLessThanOrEqual(6);
        },
      ),
      { numRuns: 25 },
    );
  });
  it('refuses what is no square picture', async () => {
    const normalisation = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
    await expect(thumbnail(new Float32Array(6), normalisation, 8)).rejects.toThrow(/square picture/);
  });
});
