import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CHANNELS, type Picture } from './picture';

/**
 * Where the decoded pictures of a dataset, and hashes of its files, may be kept from one process to the next. A cache may
 * lose what it was given, and must not give back half of it.
 */
export interface PictureCache {
  read(key: string): Promise<Uint8Array | undefined>;
  write(key: string, content: Uint8Array): Promise<void>;
}

const DIGEST_BYTES = 32;
const LENGTH_BYTES = 4;

const sizes = z.array(z.tuple([z.int().positive(), z.int().positive()]));

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Content behind its SHA-256. */
export const sealed = (content: Uint8Array): Uint8Array => Buffer.concat([digestOf(content), content]);

/** The content that was sealed, which shares the bytes; undefined when these are damaged. */
export function unsealed(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength < DIGEST_BYTES) return undefined;
  const content = bytes.subarray(DIGEST_BYTES);
  return digestOf(content).compare(bytes, 0, DIGEST_BYTES) === 0 ? content : undefined;
}

/** Pictures as bytes: SHA-256 of the rest; length of the header; widths and heights as JSON; all pixels. */
export function packed(pictures: readonly Picture[]): Uint8Array {
  const header = Buffer.from(JSON.stringify(pictures.map(({ width, height }) => [width, height])));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(header.byteLength);
  return sealed(Buffer.concat([length, header, ...pictures.map(({ pixels }) => pixels)]));
}

/** The pictures that were packed, whose pixels share the bytes; undefined when these are damaged or of another layout. */
export function unpacked(bytes: Uint8Array): Picture[] | undefined {
  const content = unsealed(bytes);
  if (content === undefined || content.byteLength < LENGTH_BYTES) return undefined;
  const headerBytes = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
  const header = content.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  let start = LENGTH_BYTES + headerBytes;
  const listed = sizesIn(header);
  const stated = listed?.reduce((total, [width, height]) => total + width * height * CHANNELS, start);
  if (stated !== content.byteLength) return undefined;
  return listed?.map(([width, height]) => {
    const pixels = content.subarray(start, start + width * height * CHANNELS);
    start += pixels.byteLength;
    return { width, height, pixels };
  });
}

function sizesIn(header: Uint8Array): z.infer<typeof sizes> | undefined {
  try {
    return sizes.safeParse(JSON.parse(new TextDecoder().decode(header))).data;
  } catch {
    return undefined;
  }
}
