import { createHash } from 'node:crypto';
import { CHANNELS, type Picture } from './picture';

/**
 * Where decoded pictures of a dataset, and hashes of its files, may be kept from one process to the next. A cache may
 * lose what it was given, and must not give back half of it.
 */
export interface PictureCache {
  read(key: string): Promise<Uint8Array | undefined>;
  write(key: string, content: Uint8Array): Promise<void>;
  /** Some bytes of what was written, fewer where it ends before; without it the whole is read. */
  readPart?(key: string, start: number, bytes: number): Promise<Uint8Array | undefined>;
  /** Most bytes that stay; without it, it says nothing about that. */
  readonly mostBytes?: number;
}

const DIGEST_BYTES = 32;
const COUNT_BYTES = 4;
/** Width and height, and the first bytes of the SHA-256 of the pixels. */
const ENTRY_BYTES = 16;
const PIXEL_DIGEST_BYTES = 8;
/** Bytes that say how long the header is. */
export const PACK_HEAD_BYTES = DIGEST_BYTES + COUNT_BYTES;
/** Most pictures in a pack, and pixels on a side of one: what claims more is none. */
export const MOST_PACKED = 2 ** 20;
const LONGEST_SIDE = 2 ** 20;

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Content behind its SHA-256. */
export const sealed = (content: Uint8Array): Uint8Array => Buffer.concat([digestOf(content), content]);

/** The content that was sealed, which shares the bytes; undefined when these are damaged. */
export function unsealed(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength < DIGEST_BYTES) return undefined;
  const content = bytes.subarray(DIGEST_BYTES);
  return digestOf(content).compare(bytes, 0, DIGEST_BYTES) === 0 ? content : undefined;
}

const pixelDigest = (pixels: Uint8Array): Buffer => digestOf(pixels).subarray(0, PIXEL_DIGEST_BYTES);

/**
 * Pictures as bytes: SHA-256 of the header; the header, which is their number and of each the width, the height and a digest of
 * its pixels; all pixels. So one of them can be read by itself, and damage shows.
 */
export function packed(pictures: readonly Picture[]): Uint8Array {
  const header = Buffer.alloc(COUNT_BYTES + pictures.length * ENTRY_BYTES);
  header.writeUInt32LE(pictures.length);
  pictures.forEach(({ width, height, pixels }, place) => {
    const at = COUNT_BYTES + place * ENTRY_BYTES;
    header.writeUInt32LE(width, at);
    header.writeUInt32LE(height, at + 4);
    pixelDigest(pixels).copy(header, at + 8);
  });
  return Buffer.concat([sealed(header), ...pictures.map(({ pixels }) => pixels)]);
}

/** Says where each picture of a pack lies. */
export interface PackLayout {
  readonly count: number;
  /** Bytes of the whole pack. */
  readonly bytes: number;
  /** Begin and end of the pixels of a picture, in bytes. @throws {RangeError} where there is no such picture. */
  spanOf(place: number): { readonly start: number; readonly end: number };
  /** The picture with these pixels; undefined when they are damaged. @throws {RangeError} where there is no such picture. */
  picture(place: number, pixels: Uint8Array): Picture | undefined;
}

/** Bytes of a pack up to its pixels, by its first {@link PACK_HEAD_BYTES}; undefined when they are none of a pack. */
export function packHeaderBytes(head: Uint8Array): number | undefined {
  if (head.byteLength < PACK_HEAD_BYTES) return undefined;
  const count = Buffer.from(head.buffer, head.byteOffset, head.byteLength).readUInt32LE(DIGEST_BYTES);
  return count > MOST_PACKED ? undefined : PACK_HEAD_BYTES + count * ENTRY_BYTES;
}

/** Reads where the pictures of a pack lie from its bytes up to the pixels; undefined when these are damaged. */
export function packLayout(head: Uint8Array): PackLayout | undefined {
  const headerBytes = packHeaderBytes(head);
  if (headerBytes === undefined || head.byteLength < headerBytes) return undefined;
  const content = unsealed(head.subarray(0, headerBytes));
  if (content === undefined) return undefined;
  const entries = Buffer.from(content.subarray(COUNT_BYTES)); // a copy: the pack itself may be large
  const count = entries.byteLength / ENTRY_BYTES;
  const starts = new Float64Array(count + 1).fill(headerBytes);
  const sideOf = (place: number, side: 0 | 4): number => entries.readUInt32LE(place * ENTRY_BYTES + side);
  for (let place = 0; place < count; place++) {
    const [width, height] = [sideOf(place, 0), sideOf(place, 4)];
    if (width < 1 || height < 1 || width > LONGEST_SIDE || height > LONGEST_SIDE) return undefined;
    starts[place + 1] = (starts[place] ?? 0) + width * height * CHANNELS;
  }
  const spanOf = (place: number) => {
    const [start, end] = [starts[place], starts[place + 1]];
    if (start === undefined || end === undefined)
      throw new RangeError(`expected a picture below ${count}, got ${place}`);
    return { start, end };
  };
  return {
    count,
    bytes: starts[count] ?? headerBytes,
    spanOf,
    picture: (place, pixels) => {
      const { start, end } = spanOf(place);
      if (pixels.byteLength !== end - start) return undefined;
      const digest = entries.subarray(place * ENTRY_BYTES + 8, (place + 1) * ENTRY_BYTES);
      if (pixelDigest(pixels).compare(digest) !== 0) return undefined;
      return { width: sideOf(place, 0), height: sideOf(place, 4), pixels };
    },
  };
}

/** The pictures that were packed, whose pixels share the bytes; undefined when these are damaged or of another layout. */
export function unpacked(bytes: Uint8Array): Picture[] | undefined {
  const layout = packLayout(bytes);
  if (layout?.bytes !== bytes.byteLength) return undefined;
  const pictures: Picture[] = [];
  for (let place = 0; place < layout.count; place++) {
    const { start, end } = layout.spanOf(place);
    const picture = layout.picture(place, bytes.subarray(start, end));
    if (picture === undefined) return undefined;
    pictures.push(picture);
  }
  return pictures;
}
