import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { availableMemoryBytes } from '../src/environment/memory';
import { bytesOfSize } from '../src/options/reading-ahead';
import { pictureCacheIn, roomIn } from '../src/picture-cache/picture-cache';

const MIB = 2 ** 20;

test('sizes are read as people write them, and nothing else is', () => {
  fc.assert(
    fc.property(fc.nat(999_999), fc.constantFrom('KiB', 'MiB', 'GiB', 'TiB'), (number, unit) => {
      const bytes = bytesOfSize(`${number}${unit}`) ?? NaN;
      expect(bytes).toBe(bytesOfSize(`${number} ${unit}`));
      expect(bytes).toBe(number * 2 ** (10 * (1 + ['KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit))));
    }),
  );
  expect([bytesOfSize('0'), bytesOfSize('1.5GiB'), bytesOfSize('0.5MiB')]).toEqual([0, 1536 * MIB, MIB / 2]);
  for (const text of ['', '512', '-1MiB', '1e9GiB', '1GB', 'MiB', '1 toString', '9999999GiB', ' 1MiB'])
    expect(bytesOfSize(text)).toBeUndefined();
});

test('what is kept in memory by default is a part of what there is', () => {
  const available = availableMemoryBytes();
  expect(available).toBeGreaterThan(0);
  expect(available).toBeLessThan(totalmem());
});

test('the room on the disk is bounded, also where the folder is not there yet', async () => {
  const root = await mkdtemp(join(tmpdir(), 'winnow-room-'));
  try {
    const there = roomIn(root);
    expect(there).toBeGreaterThanOrEqual(256 * MIB);
    expect(there).toBeLessThanOrEqual(64 * 1024 * MIB);
    const below = roomIn(join(root, 'not', 'yet'));
    expect(Math.abs(below - there) / there).toBeLessThan(0.5); // others write to the disk, too
    expect(pictureCacheIn(root, 10).mostBytes).toBe(10);
  } finally {
    await rm(root, { recursive: true });
  }
});

test('a part of a file is read by itself, and as much of it as there is', async () => {
  const root = await mkdtemp(join(tmpdir(), 'winnow-part-'));
  try {
    const cache = pictureCacheIn(root);
    await cache.write('a', Uint8Array.of(0, 1, 2, 3, 4));
    const part = async (start: number, bytes: number) => {
      const found = await cache.readPart?.('a', start, bytes);
      return found === undefined ? undefined : [...found];
    };
    expect(await part(1, 2)).toEqual([1, 2]);
    expect(await part(3, 9)).toEqual([3, 4]);
    expect(await part(9, 9)).toEqual([]);
    expect(await cache.readPart?.('b', 0, 1)).toBeUndefined();
  } finally {
    await rm(root, { recursive: true });
  }
});
