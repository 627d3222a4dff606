import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { PictureCache } from '../src/index';
import type { Picture } from '../src/picture/picture';
import { pictureShelf } from '../src/picture/shelf';
import { pictureStore } from '../src/picture/store';
import type { Wanted } from '../src/picture/wanted';

const PICTURES = 500;
/** So that a pack has two pictures. */
const BYTES_OF_PICTURE = 11 * 2 ** 20;

const pathOf = (at: number): string => `${at}.png`;
const paths = {
  validation: Array.from({ length: 50 }, (_, at) => pathOf(at)),
  test: Array.from({ length: 50 }, (_, at) => pathOf(50 + at)),
  train: Array.from({ length: PICTURES - 100 }, (_, at) => pathOf(100 + at)),
};
const wantedAt = (at: number): Wanted => ({ path: pathOf(at), augmented: at >= 100 });
const pictureAt = (at: number): Picture => ({
  width: 1 + (at % 3),
  height: 2,
  pixels: Uint8Array.from({ length: 6 * (1 + (at % 3)) }, (_, place) => (at + place) % 256),
});

const cacheOf = (mostBytes = Infinity) => {
  const contents = new Map<string, Uint8Array>();
  const cache: PictureCache = {
    mostBytes,
    read: (key) => Promise.resolve(contents.get(key)),
    readPart: (key, start, bytes) => Promise.resolve(contents.get(key)?.slice(start, start + bytes)),
    write: (key, content) => Promise.resolve(void contents.set(key, content)),
  };
  return { cache, contents };
};

const shelfOn = (cache: PictureCache, memoryBytes = 0, changed: ReadonlySet<number> = new Set()) => {
  const memory = pictureStore(memoryBytes);
  const shelf = pictureShelf({
    paths,
    contents: (asked) =>
      Promise.resolve(asked.map((path) => (changed.has(Number.parseInt(path)) ? `new ${path}` : path))),
    cache,
    recipe: 'as they are',
    bytesOfPicture: BYTES_OF_PICTURE,
    memory,
  });
  if (shelf === undefined) throw new Error('expected a shelf');
  return { shelf, memory };
};
type Shelf = ReturnType<typeof shelfOn>['shelf'];

const filled = async (shelf: Shelf): Promise<void> => {
  for (const [pack, pictures] of shelf.packs.entries())
    if (!(await shelf.has(pack)))
      await shelf.put(
        pack,
        pictures.map(({ path }) => pictureAt(Number.parseInt(path))),
      );
};

test('every picture comes back from its pack, also to another process; before the files are known, none does', async () => {
  const { cache } = cacheOf();
  const first = shelfOn(cache).shelf;
  expect(first.packs).toHaveLength(Math.ceil(PICTURES / 2));
  expect(await first.get(wantedAt(7))).toBeUndefined();
  await filled(first);
  const { shelf } = shelfOn(cache);
  expect(await shelf.get(wantedAt(7))).toBeUndefined(); // nobody waits for hashes
  while ((await shelf.get(wantedAt(7))) === undefined) await nextTurn();
  for (let at = 0; at < PICTURES; at++) expect(await shelf.get(wantedAt(at))).toEqual(pictureAt(at));
  expect(await shelf.get({ path: 'other.png', augmented: false })).toBeUndefined();
});

test('a changed file costs its own pack, and only that', async () => {
  const { cache } = cacheOf();
  await filled(shelfOn(cache).shelf);
  await fc.assert(
    fc.asyncProperty(fc.nat(PICTURES - 1), async (at) => {
      const { shelf } = shelfOn(cache, 0, new Set([at]));
      for (const [pack, pictures] of shelf.packs.entries())
        expect(await shelf.has(pack)).toBe(!pictures.some(({ path }) => path === pathOf(at)));
    }),
    { numRuns: 10 },
  );
});

test('what is damaged is nothing, and is made anew by the next process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(PICTURES - 1), fc.nat(), async (at, place) => {
      const { cache, contents } = cacheOf();
      const first = shelfOn(cache).shelf;
      await filled(first);
      const pack = first.packs.findIndex((pictures) => pictures.some(({ path }) => path === pathOf(at)));
      const key = [...contents.keys()][pack] ?? '';
      const bytes = Uint8Array.from(contents.get(key) ?? []);
      const changed = place % bytes.length;
      bytes[changed] = (bytes[changed] ?? 0) ^ 1;
      contents.set(key, bytes);
      const { shelf } = shelfOn(cache);
      await shelf.has(0);
      for (const { path } of shelf.packs[pack] ?? []) {
        const found = await shelf.get(wantedAt(Number.parseInt(path)));
        if (found !== undefined) expect(found).toEqual(pictureAt(Number.parseInt(path)));
      }
      expect(await shelfOn(cache).shelf.has(pack)).toBe(false);
    }),
    { numRuns: 25 },
  );
});

test('memory takes whole packs while it has room', async () => {
  const { cache } = cacheOf();
  await filled(shelfOn(cache).shelf);
  const { shelf, memory } = shelfOn(cache, 300);
  await shelf.has(0);
  for (let at = 0; at < PICTURES; at++) expect(await shelf.get(wantedAt(at))).toEqual(pictureAt(at));
  expect(memory.hasRoom(300)).toBe(false);
  const again = await memory.get('evaluation 0.png', () => Promise.reject(new Error('it is in memory')));
  expect(again).toEqual(pictureAt(0));
});

test('no more than is bounded is put on the disk', async () => {
  const { cache } = cacheOf(100 * 2 ** 20);
  expect(shelfOn(cache).shelf.hasRoom()).toBe(true);
  expect(shelfOn(cacheOf(10 * 2 ** 20).cache).shelf.hasRoom()).toBe(false);
});
