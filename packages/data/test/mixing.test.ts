import fc from 'fast-check';
import type { BatchSource, ImageBatch } from '@winnow/core';
import { mixedBatches } from '../src/index';

const [HEIGHT, WIDTH, CHANNELS] = [6, 4, 3];
const imageSize = { height: HEIGHT, width: WIDTH };
const PIXELS = HEIGHT * WIDTH * CHANNELS;

/** Every pixel of picture i of a step is 10·step + i. */
const plain = (size: number): BatchSource<ImageBatch> => ({
  batchSize: size,
  stepsPerEpoch: 100,
  at: (step) =>
    Promise.resolve({
      size,
      labels: Int32Array.from({ length: size }, (_, i) => i),
      images: Float32Array.from({ length: size * PIXELS }, (_, at) => 10 * step + Math.floor(at / PIXELS)),
    }),
});
const mixing = (size: number, options: { mixup?: number; cutmix?: number; seed?: number }) =>
  mixedBatches(plain(size), { mixup: 0, cutmix: 0, seed: 1, imageSize, ...options });

const alpha = fc.double({ min: 1e-3, max: 1, noNaN: true });
const step = fc.nat(50);

test('mixup adds each picture and its counterpart up, by the share that the labels have', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), alpha, step, async (size, mixup, at) => {
      const { images, labels, mixed } = await mixing(size, { mixup }).at(at);
      expect([...labels]).toEqual(Array.from({ length: size }, (_, i) => i));
      expect([...(mixed?.labels ?? [])]).toEqual([...labels].reverse());
      const share = mixed?.share ?? Number.NaN;
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
      images.forEach((value, index) => {
        const own = Math.floor(index / PIXELS);
        expect(value).toBeCloseTo(10 * at + share * own + (1 - share) * (size - 1 - own), 3);
      });
    }),
    { numRuns: 40 },
  ));

test('cutmix puts one rectangle of the counterpart in, and the share is what is left', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 6 }), alpha, step, async (size, cutmix, at) => {
      const { images, mixed } = await mixing(size, { cutmix }).at(at);
      const isOther = (picture: number, row: number, column: number) =>
        images[picture * PIXELS + (row * WIDTH + column) * CHANNELS] === 10 * at + size - 1 - picture;
      const places = Array.from(
        { length: HEIGHT * WIDTH },
        (_, i) => [Math.floor(i / WIDTH), i % WIDTH] as const,
      );
      const cut = places.filter(([row, column]) => isOther(0, row, column));
      expect(mixed?.share).toBeCloseTo(1 - cut.length / (HEIGHT * WIDTH), 6);
      const span = (values: number[]) =>
        values.length === 0 ? 0 : Math.max(...values) - Math.min(...values) + 1;
      const rectangle = span(cut.map(([row]) => row)) * span(cut.map(([, column]) => column));
      expect(cut).toHaveLength(rectangle);
      for (const value of images) expect([0, 1, 2, 3, 4, 5].map((i) => 10 * at + i)).toContain(value);
    }),
    { numRuns: 40 },
  ));

test('is a function of the seed and the step, and leaves what it was given', async () => {
  const source = plain(4);
  const kept: ImageBatch = await source.at(3);
  const before = kept.images.slice();
  const fixed = { ...source, at: () => Promise.resolve(kept) };
  const once = mixedBatches(fixed, { mixup: 0.8, cutmix: 1, seed: 1, imageSize });
  expect(await once.at(3)).toEqual(await once.at(3));
  expect(kept.images).toEqual(before);
  const shares = async (seed: number) =>
    Promise.all([0, 1, 2, 3].map(async (at) => (await mixing(4, { mixup: 0.8, seed }).at(at)).mixed?.share));
  const found = await shares(1);
  expect(new Set(found).size).toBe(4);
  expect(await shares(2)).not.toEqual(found);
});

test('shares are spread as Beta(α, α): around a half, by 1/(4(2α + 1))', async () => {
  for (const mixup of [0.2, 1]) {
    const batches = mixing(2, { mixup });
    const shares = await Promise.all(
      Array.from({ length: 2000 }, async (_, at) => (await batches.at(at)).mixed?.share ?? Number.NaN),
    );
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1 / (4 * (2 * mixup + 1)))).toBeLessThan(0.015);
  }
});

test('of neither is the batches as they are', () => {
  const source = plain(2);
  expect(mixedBatches(source, { mixup: 0, cutmix: 0, seed: 1, imageSize })).toBe(source);
});
