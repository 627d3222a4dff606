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
        fc.integer({ min: 1, max: 24 }),
        async (colour, normalisation, height, width) => {
          const levels = Uint8Array.from(
            { length: height * width * 3 },
            (_, place) => colour[place % 3] ?? 0,
          );
          const pixels = new Float32Array(levels.length);
          normaliser(normalisation)(levels, pixels, 0);
          const uri = await thumbnail(pixels, { height, width }, normalisation, 8);
          const jpeg = Buffer.from(uri.replace(/^data:image\/jpeg;base64,/, ''), 'base64');
          const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
          expect(info.width).toBe(Math.min(8, width));
          const inProportion = width <= 8 ? height : (8 * height) / width;
          expect(Math.abs(info.height - inProportion)).toBeLessThan(1);
          for (const [channel, level] of colour.entries())
            expect(Math.abs((data[channel] ?? 0) - level)).toBeLessThanOrEqual(6);
        },
      ),
      { numRuns: 25 },
    );
  });
  it('refuses what is no picture of the size', async () => {
    const normalisation = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
    await expect(thumbnail(new Float32Array(6), 2, normalisation, 8)).rejects.toThrow(/of 2 × 2 in 3/);
  });
});
