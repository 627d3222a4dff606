import { inflateSync } from 'node:zlib';
import { DataError } from '../failure/data-error';

/** The label of each pixel, as a number: [height, width] in row-major order. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly labels: Uint8Array;
}

/** Squares of 8,192 pixels a side. */
const MOST_PIXELS = 2 ** 26;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREY = 0;
const PALETTE = 3;
const DEPTHS = [1, 2, 4, 8];
const HEADER_BYTES = 13;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

/**
 * Reads the numbers that stand in a PNG of grey levels or palette indices, of up to 8 bits, whatever colours they have: decoders of
 * pictures turn indices into colours.
 * @param path Named in messages.
 * @throws {DataError} when it is no such PNG, is interlaced, is larger than 2²⁶ pixels or incomplete.
 */
export function indexPng(content: Buffer, path: string): Mask {
  if (!content.subarray(0, SIGNATURE.length).equals(SIGNATURE)) {
    throw unusable(
      path,
      'a file that is no PNG',
      'Save the masks as PNG: other formats change their numbers.',
    );
  }
  const chunks = chunksOf(content, path);
  const header = headerOf(chunks.find(({ type }) => type === 'IHDR')?.data, path);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  const stride = Math.ceil((header.width * header.depth) / 8);
  const lines = inflated(packed, (stride + 1) * header.height, path);
  return {
    width: header.width,
    height: header.height,
    labels: unpacked(unfiltered(lines, stride, header, path), stride, header),
  };
}

const unusable = (path: string, found: string, advice: string): DataError =>
  new DataError({ expected: `a mask in ${path}: a PNG of grey levels or palette indices`, found, advice });

const incomplete = (path: string): DataError =>
  unusable(path, 'a PNG that ends too early or is damaged', 'Replace the file, save it anew, or remove it.');

function chunksOf(content: Buffer, path: string): { readonly type: string; readonly data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  let at = SIGNATURE.length;
  while (at + 8 <= content.length) {
    const length = content.readUInt32BE(at);
    const type = content.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > content.length) throw incomplete(path);
    chunks.push({ type, data: content.subarray(at + 8, end) });
    if (type === 'IEND') return chunks;
    at = end + 4;
  }
  throw incomplete(path);
}

function headerOf(data: Buffer | undefined, path: string): Header {
  if (data?.length !== HEADER_BYTES) throw incomplete(path);
  const [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
  const [depth = 0, colour, , , interlaced] = data.subarray(8);
  if ((colour !== GREY && colour !== PALETTE) || !DEPTHS.includes(depth)) {
    throw unusable(
      path,
      colour === GREY ? `grey levels of ${depth} bits` : 'a PNG of colours',
      'Save it with one number of up to 8 bits for each pixel.',
    );
  }
  if (interlaced !== 0) throw unusable(path, 'an interlaced PNG', 'Save it without interlacing.');
  if (width === 0 || height === 0 || width * height > MOST_PIXELS)
    throw unusable(path, `${width}×${height} pixels`, `Masks may have up to ${MOST_PIXELS} pixels.`);
  return { width, height, depth };
}

function inflated(packed: Buffer, bytes: number, path: string): Buffer {
  try {
    const lines = inflateSync(packed, { maxOutputLength: bytes });
    if (lines.length === bytes) return lines;
  } catch {
    // Damaged, or longer than its header says.
  }
  throw incomplete(path);
}

/** Undoes the filters of the lines, of which each begins with the number of its own (PNG, Section 9). */
function unfiltered(lines: Buffer, stride: number, { height }: Header, path: string): Uint8Array {
  const rows = new Uint8Array(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = lines[row * (stride + 1)] ?? 0;
    if (filter > 4) throw incomplete(path);
    for (let i = 0; i < stride; i++) {
      const at = row * stride + i;
      const left = i > 0 ? (rows[at - 1] ?? 0) : 0;
      const above = row > 0 ? (rows[at - stride] ?? 0) : 0;
      const corner = i > 0 && row > 0 ? (rows[at - stride - 1] ?? 0) : 0;
      const value = lines[row * (stride + 1) + 1 + i] ?? 0;
      rows[at] = value + predicted(filter, left, above, corner);
    }
  }
  return rows;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const estimate = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((own) => Math.abs(estimate - own));
  if (toLeft === undefined || toAbove === undefined || toCorner === undefined) return 0;
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** One number for each pixel, of several in a byte. */
function unpacked(rows: Uint8Array, stride: number, { width, height, depth }: Header): Uint8Array {
  if (depth === 8) return rows;
  const labels = new Uint8Array(width * height);
  const [perByte, most] = [8 / depth, 2 ** depth - 1];
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) {
      const byte = rows[row * stride + Math.floor(x / perByte)] ?? 0;
      labels[row * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & most;
    }
  }
  return labels;
}
