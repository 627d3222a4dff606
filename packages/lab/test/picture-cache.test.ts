import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pictureCacheIn } from '../src/picture-cache/picture-cache';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'winnow-cache-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = (value: number, size = 100) => Buffer.alloc(size, value);

test('what was written is read again, by another process too', async () => {
  const folder = join(root, 'not', 'there', 'yet');
  await pictureCacheIn(folder).write('a', bytes(1));
  expect(await pictureCacheIn(folder).read('a')).toEqual(bytes(1));
  expect(await pictureCacheIn(folder).read('b')).toBeUndefined();
});

test('what was not used for longest makes room; other files are left alone', async () => {
  await writeFile(join(root, 'mine.txt'), 'a thesis');
  const cache = pictureCacheIn(root, 250);
  await cache.write('a', bytes(1));
  await cache.write('b', bytes(2));
  const longAgo = new Date(Date.now() - 60_000);
  for (const key of ['a', 'b']) await utimes(join(root, `${key}.pictures`), longAgo, longAgo);
  await cache.read('a');
  await cache.write('c', bytes(3));
  expect((await readdir(root)).sort()).toEqual(['a.pictures', 'c.pictures', 'mine.txt']);
});

test('what a killed process left half-written is removed, and what is being written counts', async () => {
  const cache = pictureCacheIn(root, 250);
  const [old, young] = ['old.pictures.0123456789ab.tmp', 'young.pictures.ba9876543210.tmp'];
  for (const name of [old, young]) await writeFile(join(root, name), bytes(1));
  const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
  await utimes(join(root, old), hoursAgo, hoursAgo);
  await cache.write('a', bytes(1));
  expect((await readdir(root)).sort()).toEqual(['a.pictures', young]);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(join(root, 'a.pictures'), longAgo, longAgo);
  await cache.write('b', bytes(2));
  expect((await readdir(root)).sort()).toEqual(['b.pictures', young]);
});

test('a folder that cannot be had is as good as an empty one', async () => {
  await writeFile(join(root, 'file'), 'in the way');
  const cache = pictureCacheIn(join(root, 'file'));
  await cache.write('a', bytes(1));
  expect(await cache.read('a')).toBeUndefined();
});
