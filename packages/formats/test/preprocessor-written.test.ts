import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PictureGeometry, type PicturePreparation, type PictureSize, pictureSizeOf } from '@winnow/core';
import fc from 'fast-check';
import { PREPROCESSOR_FILE, clipNormalisation, preprocessorConfig, readPreparation } from '../src/index';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-preprocessor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const halves = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const torch = { arithmetic: 'torch', halves: 'down' } as const;

/** Rounding of the library whose values the file would have anyway. */
const length = fc.integer({ min: 1, max: 4096 });
// JSON has no negative zero.
const channel = fc.double({ min: -2, max: 2, noNaN: true }).map((value) => value + 0);
const geometries: fc.Arbitrary<PictureGeometry> = fc.record(
  {
    resize: fc.oneof(
      fc.constant({ kind: 'kept' } as const),
      fc.record({ kind: fc.constant('squash' as const), height: length, width: length }),
      fc.record(
        { kind: fc.constant('shortest' as const), edge: length, longest: length },
        { requiredKeys: ['kind', 'edge'] },
      ),
      fc.record({ kind: fc.constant('longest' as const), edge: length }),
      fc
        .record({ kind: fc.constantFrom('cover' as const, 'fit' as const), height: length, width: length })
        .filter(({ height, width }) => height !== width),
    ),
    interpolation: fc.constantFrom('nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'),
    arithmetic: fc.constantFrom('pillow', 'torch'),
    halves: fc.constantFrom('down', 'even'),
    fill: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)),
  },
  { requiredKeys: ['resize', 'interpolation', 'arithmetic', 'halves'] },
);
const deviation = fc.double({ min: 0.01, max: 2, noNaN: true });
const statistics = {
  mean: fc.tuple(channel, channel, channel),
  std: fc.tuple(deviation, deviation, deviation),
};
const preparations: fc.Arbitrary<PicturePreparation> = fc.oneof(
  fc.record(
    {
      ...statistics,
      scale: fc.double({ min: 0.01, max: 2, noNaN: true }),
      geometry: geometries,
      processor: fc.constantFrom('BitImageProcessor', 'CLIPImageProcessorPil'),
    },
    { requiredKeys: ['mean', 'std', 'geometry', 'processor'] },
  ),
  fc.record(statistics),
);

const shortSide = fc.integer({ min: 1, max: 512 });
const pictureSizes: fc.Arbitrary<PictureSize> = fc.oneof(
  shortSide,
  fc.record({ height: shortSide, width: shortSide }).map(pictureSizeOf),
);

test('a preparation comes back from the file that we write', async () => {
  await fc.assert(
    fc.asyncProperty(preparations, pictureSizes, async (preparation, imageSize) => {
      await writeFile(join(folder, PREPROCESSOR_FILE), preprocessorConfig(preparation, imageSize));
      expect(await readPreparation(folder, imageSize)).toEqual(preparation);
    }),
    { numRuns: 200 },
  );
});

test('a share of pictures comes back from the file that we write, as near as whole pixels have it', async () => {
  const part = { ...halves, mean: [0.1, 0.2, 0.3], shownShare: 0.875 } as unknown as PicturePreparation;
  await writeFile(join(folder, PREPROCESSOR_FILE), preprocessorConfig(part, 224));
  expect(await readPreparation(folder, 224)).toEqual(part);
});

test('the file names a class of transformers that squeezes, or cuts, as the model has it', () => {
  const fileFor = (resize: PictureGeometry['resize']) =>
    JSON.parse(
      preprocessorConfig(
        { ...clipNormalisation, geometry: { resize, interpolation: 'bilinear', ...torch } },
        224,
      ),
    ) as object;
  expect(fileFor({ kind: 'squash', height: 224, width: 224 })).toMatchObject({
    image_processor_type: 'ViTImageProcessor',
    size: { height: 224, width: 224 },
    resample: 2,
    do_center_crop: false,
  });
  expect(fileFor({ kind: 'squash', height: 256, width: 256 })).toMatchObject({
    image_processor_type: 'DeiTImageProcessor',
    crop_size: { height: 224, width: 224 },
  });
  expect(fileFor({ kind: 'shortest', edge: 256 })).toMatchObject({
    image_processor_type: 'CLIPImageProcessor',
    size: { shortest_edge: 256 },
  });
});
