import { createHash } from 'node:crypto';
import type { PictureRegions, RegionBox } from '@winnow/core';
import { type PictureCache, sealed, unsealed } from '../picture/pack';
import type { RegionReader } from './region-reader';

/** Another number is for features that are found in another way. */
const FORMAT = 1;
/** Pictures that are read at once. */
const TOGETHER = 64;
const BYTES = 4;
const SIDES = 4;

/** The regions of one picture. */
export interface KnownRegions {
  readonly boxes: readonly RegionBox[];
  /** [R, F] */
  readonly features: Float32Array;
}

export interface RegionReading {
  readonly paths: readonly string[];
  boxesOf(path: string): readonly RegionBox[];
  readonly reader: RegionReader;
  /** Normalised pixels of some pictures, [B, H, W, C] in row-major order. */
  pixels(paths: readonly string[]): Promise<Float32Array>;
  /** Everything but picture, boxes and reader that decides the pixels. */
  readonly recipe: string;
  /** Words that identify the pictures, whatever they are called. */
  contents(): Promise<readonly string[]>;
  readonly cache: PictureCache | undefined;
}

/**
 * The regions of all pictures by their paths: read once, and kept under the digest of pictures, boxes, reader and recipe, so that whatever
 * changes makes another name.
 * @throws {DataError} when a picture cannot be read.
 */
export async function knownRegions(reading: RegionReading): Promise<ReadonlyMap<string, KnownRegions>> {
  const { paths, boxesOf, reader, pixels, cache } = reading;
  const boxes = paths.map(boxesOf);
  const counts = boxes.map(({ length }) => length);
  const numbers = counts.reduce((sum, count) => sum + count, 0) * reader.features;
  const key = cache === undefined ? undefined : await keyOf(reading, boxes);
  const kept = key === undefined ? undefined : numbersIn(await cache?.read(key), numbers);
  const all =
    kept ??
    (await reader.lend(async (read) => {
      const found = new Float32Array(numbers);
      let from = 0;
      for (let start = 0; start < paths.length; start += TOGETHER) {
        const images = await pixels(paths.slice(start, start + TOGETHER));
        const part = await read(images, boxes.slice(start, start + TOGETHER));
        found.set(part, from);
        from += part.length;
      }
      if (from !== numbers)
        throw new RangeError(`expected ${numbers} numbers of regions from their reader, got ${from}`);
      return found;
    }));
  if (kept === undefined && key !== undefined)
    await cache?.write(key, sealed(new Uint8Array(all.buffer, all.byteOffset, all.byteLength)));
  let from = 0;
  return new Map(
    paths.map((path, picture): [string, KnownRegions] => {
      const own = boxes[picture] ?? [];
      const features = all.subarray(from, (from += own.length * reader.features));
      return [path, { boxes: own, features }];
    }),
  );
}

async function keyOf(
  { reader, recipe, contents }: RegionReading,
  boxes: readonly (readonly RegionBox[])[],
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(['regions', FORMAT, reader.digest, recipe]));
  hash.update(JSON.stringify(await contents()));
  for (const own of boxes) hash.update(`${JSON.stringify(own)}\n`);
  return hash.digest('hex');
}

/** Undefined where nothing is kept, or it is damaged. */
function numbersIn(bytes: Uint8Array | undefined, numbers: number): Float32Array | undefined {
  const content = bytes === undefined ? undefined : unsealed(bytes);
  if (content?.byteLength !== numbers * BYTES) return undefined;
  const copy = Uint8Array.from(content); // aligned
  return new Float32Array(copy.buffer);
}

/**
 * The regions of a batch side by side, padded to those of the picture that has most.
 * @param F Numbers that describe a region.
 */
export function paddedRegions(regions: readonly KnownRegions[], F: number): PictureRegions {
  const count = regions.reduce((most, { boxes }) => Math.max(most, boxes.length), 0);
  const features = new Float32Array(regions.length * count * F);
  const boxes = new Float32Array(regions.length * count * SIDES);
  const real = new Float32Array(regions.length * count);
  regions.forEach((own, picture) => {
    features.set(own.features, picture * count * F);
    boxes.set(own.boxes.flat(), picture * count * SIDES);
    real.fill(1, picture * count, picture * count + own.boxes.length);
  });
  return { count, features, boxes, real };
}
