import { type PictureSize, randomStream, sidesOf } from '@winnow/core';
import fc from 'fast-check';
import { augment } from '../src/augmentation/augment';
import {
  autocontrast,
  brightness,
  contrast,
  equalize,
  posterize,
  saturation,
  sharpness,
  solarize,
} from '../src/augmentation/colour';
import { randomOperations } from '../src/augmentation/operations';
import { IDENTITY, onSides, placement, randomRegion, rotation, warp } from '../src/augmentation/placement';
import {
  type AugmentationPolicy,
  augmentationPolicy,
  augmentationPresets,
  checkPolicy,
} from '../src/augmentation/policy';
import type { Picture } from '../src/picture/picture';
import { gradient } from './pictures/temporary';

const policies = augmentationPresets
  .map((preset) => augmentationPolicy(preset))
  .filter((policy): policy is AugmentationPolicy => policy !== undefined);

const side = fc.integer({ min: 1, max: 16 });
const sizes: fc.Arbitrary<PictureSize> = fc.oneof(side, fc.record({ height: side, width: side }));
const pictures = fc
  .record({ width: fc.integer({ min: 1, max: 24 }), height: fc.integer({ min: 1, max: 24 }) })
  .chain(({ width, height }) =>
    fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }).map((pixels) => ({
      width,
      height,
      pixels,
    })),
  );

function varied(picture: Picture, seed: number, size: PictureSize) {
  const { height, width } = sidesOf(size);
  return policies.map((policy) => {
    const out = new Uint8Array(height * width * 3);
    augment(picture, policy, randomStream(seed, 'augment', 0, 0), size, out);
    return out;
  });
}

describe('augment', () => {
  test('the stream decides the picture', () => {
    fc.assert(
      fc.property(pictures, fc.integer(), sizes, (picture, seed, size) => {
        expect(varied(picture, seed, size)).toEqual(varied(picture, seed, size));
      }),
      { numRuns: 50 },
    );
  });

  test('other streams make other pictures, and the source is not touched', () => {
    const source = { width: 20, height: 16, pixels: new Uint8Array(gradient(20, 16)) };
    for (const [index, one] of varied(source, 1, 12).entries()) {
      expect(one).not.toEqual(varied(source, 2, 12)[index]);
    }
    expect(source.pixels).toEqual(new Uint8Array(gradient(20, 16)));
  });

  test('without the recolouring policies a plain picture stays plain, whatever the geometry', () => {
    const plain = { width: 9, height: 14, pixels: new Uint8Array(9 * 14 * 3).fill(137) };
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: -180, max: 180, noNaN: true }), (seed, degrees) => {
        const region = randomRegion(plain, [0.2, 1], [0.5, 2], randomStream(seed));
        const size = { height: 8, width: 5 };
        const out = new Uint8Array(8 * 5 * 3);
        warp(plain, placement(region, onSides(rotation(degrees), size), size), size, out);
        expect(out.every((value) => value === 137)).toBe(true);
      }),
    );
  });
});

describe('placement', () => {
  const side = 10;
  const source = { width: side, height: side, pixels: new Uint8Array(gradient(side, side)) };
  const whole = { left: 0, top: 0, width: side, height: side };
  const seen = (distortion: typeof IDENTITY) => {
    const out = new Uint8Array(side * side * 3);
    const size = { height: side, width: side };
    warp(source, placement(whole, distortion, size), size, out);
    return out;
  };
  const at = (pixels: Uint8Array, x: number, y: number) => pixels.subarray((y * side + x) * 3).subarray(0, 3);

  test('the whole picture undistorted is the picture', () => {
    expect(seen(IDENTITY)).toEqual(source.pixels);
  });

  test('a mirror exchanges left and right; half a turn exchanges corners', () => {
    expect(at(seen({ ...IDENTITY, xx: -1 }), 2, 3)).toEqual(at(source.pixels, 7, 3));
    expect(at(seen(rotation(180)), 2, 3)).toEqual(at(source.pixels, 7, 6));
  });

  test('regions lie within the picture and keep to the ranges', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer(),
        (width, height, seed) => {
          const region = randomRegion({ width, height }, [0.35, 1], [3 / 4, 4 / 3], randomStream(seed));
          const slack = 1e-9 * (width + height);
          expect(region.left).toBeGreaterThanOrEqual(0);
          expect(region.top).toBeGreaterThanOrEqual(0);
          expect(region.left + region.width).toBeLessThanOrEqual(width + slack);
          expect(region.top + region.height).toBeLessThanOrEqual(height + slack);
          expect(region.width / region.height).toBeGreaterThanOrEqual(3 / 4 - 1e-9);
          expect(region.width / region.height).toBeLessThanOrEqual(4 / 3 + 1e-9);
        },
      ),
    );
  });
});

describe('colour', () => {
  const side = 6;
  const noise = fc.uint8Array({ minLength: side * side * 3, maxLength: side * side * 3 });
  const changed = (pixels: Uint8Array, change: (copy: Uint8Array) => void) => {
    const copy = pixels.slice();
    change(copy);
    return copy;
  };

  test('factor 1, eight bits and threshold 256 change nothing', () => {
    fc.assert(
      fc.property(noise, (pixels) => {
        expect(changed(pixels, (copy) => brightness(copy, 1))).toEqual(pixels);
        expect(changed(pixels, (copy) => contrast(copy, 1))).toEqual(pixels);
        expect(changed(pixels, (copy) => saturation(copy, 1))).toEqual(pixels);
        expect(changed(pixels, (copy) => sharpness(copy, { height: side, width: side }, 1))).toEqual(pixels);
        expect(changed(pixels, (copy) => posterize(copy, 8))).toEqual(pixels);
        expect(changed(pixels, (copy) => solarize(copy, 256))).toEqual(pixels);
      }),
    );
  });

  test('known values', () => {
    const pixels = Uint8Array.of(10, 100, 200, 30, 60, 90);
    expect([...changed(pixels, (copy) => brightness(copy, 1.5))]).toEqual([15, 150, 255, 45, 90, 135]);
    expect([...changed(pixels, (copy) => posterize(copy, 2))]).toEqual([0, 64, 192, 0, 0, 64]);
    expect([...changed(pixels, (copy) => solarize(copy, 100))]).toEqual([10, 155, 55, 30, 60, 90]);
    expect([...changed(pixels, autocontrast)]).toEqual([0, 255, 255, 255, 0, 0]);
    const grey = changed(pixels, (copy) => saturation(copy, 0));
    expect(new Set(grey.subarray(0, 3)).size).toBe(1);
    expect([...changed(Uint8Array.of(50, 50, 50, 150, 150, 150), (copy) => contrast(copy, 0))]).toEqual(
      Array.from({ length: 6 }, () => 100),
    );
  });

  test('stretching and equalising leave a plain picture alone and keep the order of values', () => {
    fc.assert(
      fc.property(noise, fc.integer({ min: 0, max: 255 }), (pixels, level) => {
        const plain = new Uint8Array(side * side * 3).fill(level);
        for (const change of [autocontrast, equalize]) {
          expect(changed(plain, change)).toEqual(plain);
          const after = changed(pixels, change);
          const [a, b] = [pixels[0] ?? 0, pixels[3] ?? 0];
          if (a <= b) expect(after[0]).toBeLessThanOrEqual(after[3] ?? 0);
        }
      }),
    );
  });

  test('every operation of RandAugment comes up', () => {
    const drawn = randomOperations(400, 9, randomStream(3));
    expect(drawn.length).toBeGreaterThan(150);
    expect(new Set(drawn.map(({ kind }) => kind))).toEqual(new Set(['distort', 'recolour']));
    const pixels = new Uint8Array(gradient(side, side));
    for (const operation of drawn)
      if (operation.kind === 'recolour') operation.apply(pixels, { height: side, width: side });
  });
});

test('policies outside their range are refused by name', () => {
  const policy = augmentationPolicy('standard');
  if (policy === undefined) throw new Error('standard has a policy');
  expect(() => checkPolicy({ ...policy, cropArea: [0, 1] })).toThrow('cropArea[0]');
  expect(() => checkPolicy({ ...policy, cropRatio: [2, 1] })).toThrow(RangeError);
  expect(() => checkPolicy({ ...policy, flipProbability: 1.5 })).toThrow('flipProbability');
  expect(() => checkPolicy({ ...policy, randomOperations: { count: 1.5, magnitude: 9 } })).toThrow(
    'whole number',
  );
});
