import { createHash } from 'node:crypto';
import { DataError } from '../failure/data-error';
import {
  PACK_HEAD_BYTES,
  type PackLayout,
  type PictureCache,
  packHeaderBytes,
  packLayout,
  packed,
  unpacked,
} from './pack';
import type { Picture } from './picture';
import type { PictureStore } from './store';
import { type PicturesOfSplits, type Wanted, pictureKey, wantedOf } from './wanted';

/** Fewer pictures are decoded as fast as they are looked for. */
const FEWEST_KEPT = 500;
/** Bytes of a pack, about: whoever is killed loses what was decoded for one. */
const PACK_BYTES = 32 * 1024 * 1024;

/** Decoded pictures of a dataset on the disk, in packs of neighbours. */
export interface PictureShelf {
  /** The pictures of each pack. */
  readonly packs: readonly (readonly Wanted[])[];
  /** A picture, where its pack is on the disk. */
  get(picture: Wanted): Promise<Picture | undefined>;
  /** Whether the pack is on the disk. */
  has(pack: number): Promise<boolean>;
  /** Whether one more pack fits. */
  hasRoom(): boolean;
  /** Puts all pictures of a pack on the disk. */
  put(pack: number, pictures: readonly Picture[]): Promise<void>;
}

export interface ShelfOptions extends PicturesOfSplits {
  readonly cache: PictureCache;
  /** Everything but the file that decides the pixels. */
  readonly recipe: string;
  /** Bytes that a picture has, about. */
  readonly bytesOfPicture: number;
  /** Takes a whole pack where it has room. */
  readonly memory: Pick<PictureStore, 'hasRoom' | 'take'>;
}

/** Found instead of a pack that is not on the disk any more, or damaged there. */
const GONE: Promise<undefined> = Promise.resolve(undefined);

/**
 * The shelf of a dataset; undefined for one that is too small for it. A pack is named by the SHA-256 of all that decides its
 * pixels: the recipe, and what is in the files. So whatever changes makes another name, several processes may share a cache, and
 * one that is killed leaves whole packs.
 */
export function pictureShelf(options: ShelfOptions): PictureShelf | undefined {
  const { cache, bytesOfPicture, memory } = options;
  const wanted = wantedOf(options);
  if (wanted.length < FEWEST_KEPT) return undefined;
  const perPack = Math.max(1, Math.floor(PACK_BYTES / bytesOfPicture));
  const packs = Array.from({ length: Math.ceil(wanted.length / perPack) }, (_, pack) =>
    wanted.slice(pack * perPack, (pack + 1) * perPack),
  );
  // By path, so that no new text is kept for each.
  const places = { varied: new Map<string, number>(), evaluated: new Map<string, number>() };
  const placesOf = ({ augmented }: Wanted) => (augmented ? places.varied : places.evaluated);
  wanted.forEach((picture, place) => placesOf(picture).set(picture.path, place));
  let keys: Promise<readonly string[] | undefined> | undefined;
  let areKnown = false;
  const allKeys = () => (keys ??= keysOf(packs, options).finally(() => (areKnown = true)));
  const keyOf = async (pack: number): Promise<string | undefined> => (await allKeys())?.[pack];
  const layouts = new Map<number, Promise<PackLayout | undefined>>();
  const wholes = new Map<number, Promise<readonly Picture[] | undefined>>();
  const isTried = new Set<number>();
  let bytesKept = 0;

  const layout = (pack: number): Promise<PackLayout | undefined> => {
    const known = layouts.get(pack);
    if (known !== undefined) return known;
    const reading = (async () => {
      const key = await keyOf(pack);
      const found = key === undefined ? undefined : await layoutIn(cache, key);
      if (found?.count !== packs[pack]?.length) return undefined;
      bytesKept += found?.bytes ?? 0;
      return found;
    })();
    layouts.set(pack, reading);
    return reading;
  };

  /** All pictures of a pack, where memory has room for them. It is asked once. */
  const whole = (
    pack: number,
    { bytes }: PackLayout,
  ): Promise<readonly Picture[] | undefined> | undefined => {
    const under = wholes.get(pack);
    if (under !== undefined || isTried.has(pack) || !memory.hasRoom(bytes)) return under;
    isTried.add(pack);
    const reading = (async () => {
      const key = await keyOf(pack);
      const content = key === undefined ? undefined : await cache.read(key);
      const pictures = content === undefined ? undefined : unpacked(content);
      const of = packs[pack] ?? [];
      if (pictures?.length !== of.length) return undefined;
      const named = new Map<string, Picture>();
      pictures.forEach((picture, at) => {
        const wanted = of[at];
        if (wanted !== undefined) named.set(pictureKey(wanted), picture);
      });
      memory.take(named, bytes);
      return pictures;
    })();
    wholes.set(pack, reading);
    void reading.finally(() => wholes.delete(pack));
    return reading;
  };

  return {
    packs,
    get: async (picture) => {
      const place = placesOf(picture).get(picture.path);
      if (place === undefined) return undefined;
      // Looking at many files takes seconds, in which pictures are decoded instead; the pack of a small dataset is worth the wait.
      if (packs.length > 1 && !areKnown) {
        allKeys().catch(() => undefined); // whoever waits for them is told
        return undefined;
      }
      const pack = Math.floor(place / perPack);
      const at = place % perPack;
      const found = await layout(pack);
      if (found === undefined) return undefined;
      const inMemory = (await whole(pack, found))?.[at];
      if (inMemory !== undefined) return inMemory;
      const key = await keyOf(pack);
      const { start, end } = found.spanOf(at);
      const pixels = key === undefined ? undefined : await partOf(cache, key, start, end - start);
      const known = pixels === undefined ? undefined : found.picture(at, pixels);
      if (known === undefined && layouts.get(pack) !== GONE) {
        layouts.set(pack, GONE); // decoded again, by the next process into a new pack
        if (pixels !== undefined && key !== undefined) await cache.write(key, new Uint8Array());
      }
      return known;
    },
    has: async (pack) => (await layout(pack)) !== undefined,
    hasRoom: () => bytesKept + PACK_BYTES <= (cache.mostBytes ?? Infinity),
    put: async (pack, pictures) => {
      const key = await keyOf(pack);
      if (key === undefined) return;
      const content = packed(pictures);
      await cache.write(key, content);
      isTried.add(pack); // its pictures have just been decoded: what fits into memory is there
      bytesKept += content.byteLength;
      layouts.set(pack, Promise.resolve(packLayout(content)));
    },
  };
}

/** Names of the packs; undefined when a file cannot be read: decoding will say what is wrong with it, and with others. */
async function keysOf(
  packs: readonly (readonly Wanted[])[],
  { recipe, contents, cache }: ShelfOptions,
): Promise<readonly string[] | undefined> {
  try {
    const words = await contents(
      packs.flatMap((pack) => pack.map(({ path }) => path)),
      cache,
    );
    let place = 0;
    return packs.map((pack) => {
      const hash = createHash('sha256').update(recipe);
      for (const { augmented } of pack) hash.update(JSON.stringify([words[place++], augmented]));
      return hash.digest('hex');
    });
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

async function layoutIn(cache: PictureCache, key: string): Promise<PackLayout | undefined> {
  const head = await partOf(cache, key, 0, PACK_HEAD_BYTES);
  const bytes = head === undefined ? undefined : packHeaderBytes(head);
  const header = bytes === undefined ? undefined : await partOf(cache, key, 0, bytes);
  const layout = header === undefined ? undefined : packLayout(header);
  if (layout === undefined) return undefined;
  const end = await partOf(cache, key, layout.bytes - 1, 2);
  return end?.byteLength === Math.min(1, layout.bytes) ? layout : undefined;
}

async function partOf(
  cache: PictureCache,
  key: string,
  start: number,
  bytes: number,
): Promise<Uint8Array | undefined> {
  if (cache.readPart !== undefined) return cache.readPart(key, start, bytes);
  return (await cache.read(key))?.subarray(start, start + bytes);
}
