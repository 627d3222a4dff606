import { type PictureGeometry, type PictureResize, interpolations } from '@winnow/core';
import fc from 'fast-check';
import { framed, sizeAfter } from '../src/picture/geometry';
import type { Picture } from '../src/picture/picture';
import { resample } from '../src/picture/resample';

const side = fc.integer({ min: 1, max: 40 });
const pictures: fc.Arbitrary<Picture> = fc
  .tuple(side, side)
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((pixels) => ({ width, height, pixels })),
  );
const ways = fc.record({
  interpolation: fc.constantFrom(...interpolations),
  arithmetic: fc.constantFrom('pillow' as const, 'torch' as const),
});
const resizes: fc.Arbitrary<PictureResize> = fc.oneof(
  fc.constant({ kind: 'kept' } as const),
  fc.record({ kind: fc.constant('squash' as const), height: side, width: side }),
  fc.record(
    { kind: fc.constant('shortest' as const), edge: side, longest: side },
    { requiredKeys: ['kind', 'edge'] },
  ),
  fc.record({ kind: fc.constant('longest' as const), edge: side }),
  fc.record({ kind: fc.constantFrom('cover' as const, 'fit' as const), height: side, width: side }),
);
const geometries: fc.Arbitrary<PictureGeometry> = fc
  .tuple(ways, resizes, fc.constantFrom('down' as const, 'even' as const))
  .map(([way, resize, halves]) => ({ ...way, resize, halves }));
const whole = ({ width, height }: { width: number; height: number }) => ({ left: 0, top: 0, width, height });
const plain = (width: number, height: number, level: number): Picture => ({
  width,
  height,
  pixels: new Uint8Array(width * height * 3).fill(level),
});

describe('a picture at another size', () => {
  test('is the picture where the size is its own', () => {
    fc.assert(
      fc.property(pictures, ways, (picture, way) => {
        expect(resample(picture, picture, way, whole(picture))).toEqual(picture);
      }),
    );
  });

  test('is as plain as the picture', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.nat(255), ways, (width, height, w, h, level, way) => {
        const size = { width: w, height: h };
        expect(resample(plain(width, height, level), size, way, whole(size))).toEqual(plain(w, h, level));
      }),
    );
  });

  test('has the same pixels in every window', () => {
    fc.assert(
      fc.property(
        pictures,
        side,
        side,
        ways,
        fc.infiniteStream(fc.nat(1000)),
        (picture, w, h, way, numbers) => {
          const size = { width: w, height: h };
          const next = (limit: number): number => Number(numbers.next().value) % limit;
          const [left, top] = [next(w), next(h)];
          const window = { left, top, width: 1 + next(w - left), height: 1 + next(h - top) };
          const { pixels } = resample(picture, size, way, whole(size));
          const seen = resample(picture, size, way, window);
          for (let row = 0; row < window.height; row++) {
            const start = ((top + row) * w + left) * 3;
            expect(seen.pixels.slice(row * window.width * 3, (row + 1) * window.width * 3)).toEqual(
              pixels.slice(start, start + window.width * 3),
            );
          }
        },
      ),
    );
  });

  test('is turned where the picture is turned, as torch rounds', () => {
    const turned = ({ width, height, pixels }: Picture): Picture => {
      const out = new Uint8Array(pixels.length);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let c = 0; c < 3; c++) out[(x * height + y) * 3 + c] = pixels[(y * width + x) * 3 + c] ?? 0;
      return { width: height, height: width, pixels: out };
    };
    fc.assert(
      fc.property(pictures, side, (picture, length) => {
        // One side alone changes, so the order of the two does not matter.
        const across = { width: length, height: picture.height };
        const down = { width: picture.height, height: length };
        const way = { interpolation: 'bicubic', arithmetic: 'torch' } as const;
        const seen = resample(turned(picture), down, way, whole(down));
        expect(seen).toEqual(turned(resample(picture, across, way, whole(across))));
      }),
    );
  });
});

describe('the size that a picture is scaled to', () => {
  test.each<[PictureResize, [number, number], [number, number]]>([
    [{ kind: 'kept' }, [200, 100], [200, 100]],
    [{ kind: 'squash', width: 8, height: 9 }, [200, 100], [8, 9]],
    [{ kind: 'shortest', edge: 224 }, [200, 100], [448, 224]],
    [{ kind: 'shortest', edge: 224 }, [33, 77], [224, 522]],
    [{ kind: 'shortest', edge: 24, longest: 41 }, [33, 77], [18, 41]],
    [{ kind: 'longest', edge: 20 }, [33, 77], [9, 20]],
    [{ kind: 'longest', edge: 20 }, [1000, 1], [20, 1]],
    [{ kind: 'cover', height: 64, width: 32 }, [200, 100], [128, 64]],
    [{ kind: 'cover', height: 64, width: 32 }, [33, 177], [32, 172]],
    [{ kind: 'fit', height: 64, width: 32 }, [200, 100], [32, 16]],
    [{ kind: 'shortest', edge: 256 }, [1, 60000], [256, 15_360_000]],
  ])('%j of %j', (resize, [width, height], [w, h]) => {
    expect(sizeAfter({ width, height }, resize)).toEqual({ width: w, height: h });
  });
});

describe('what a model sees of a picture', () => {
  test('has its size, whatever the picture and the geometry', () => {
    fc.assert(
      fc.property(pictures, geometries, side, side, (picture, geometry, high, wide) => {
        const { width, height, pixels } = framed(picture, geometry, { height: high, width: wide });
        expect([width, height, pixels.length]).toEqual([wide, high, wide * high * 3]);
      }),
    );
  });

  test('is the middle, which is surrounded where the picture is smaller', () => {
    const kept = { resize: { kind: 'kept' }, interpolation: 'bicubic', arithmetic: 'torch' } as const;
    const picture = { width: 4, height: 1, pixels: Uint8Array.from({ length: 12 }, (_, at) => at) };
    const levels = (geometry: PictureGeometry, length: number) => [
      ...framed(picture, geometry, length).pixels,
    ];
    expect(levels({ ...kept, halves: 'down' }, 1)).toEqual([3, 4, 5]);
    expect(levels({ ...kept, halves: 'even' }, 1)).toEqual([6, 7, 8]);
    const filled = [7, 8, 9];
    expect(levels({ ...kept, halves: 'down', fill: [7, 8, 9] }, 2)).toEqual([
      3,
      4,
      5,
      6,
      7,
      8,
      ...filled,
      ...filled,
    ]);
  });

  test('needs no more memory for a thin picture than for another', () => {
    const thin = plain(1, 60000, 9);
    const resize = { kind: 'shortest', edge: 256 } as const;
    const geometry = { resize, interpolation: 'bicubic', arithmetic: 'torch', halves: 'down' } as const;
    expect(framed(thin, geometry, 224)).toEqual(plain(224, 224, 9));
  });
});
