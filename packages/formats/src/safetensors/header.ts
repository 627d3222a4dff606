import { z } from 'zod';
import { FormatError } from '../file/format-error';
import { checkDepth, checkJson } from '../file/json';
import { type ElementType, elementBytes, elementTypes } from './element';

/** Before the header stands its length, as an unsigned 64-bit number. */
export const LENGTH_BYTES = 8;
/** Room for a hundred thousand tensors. (The format's own bound is six times as much.) */
const LONGEST_HEADER = 2 ** 24;
export const METADATA = '__metadata__';

/** Where a tensor lies: bytes `begin` to `end` after the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order in which the tensors lie in the file. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Record<string, string>;
  /** Where the tensors' bytes begin in the file. */
  readonly dataStart: number;
}

/** PyTorch's own bound. */
const MOST_AXES = 64;
const natural = z.int().nonnegative();
const headerEntry = z.strictObject({
  dtype: elementTypes,
  shape: z.array(natural).max(MOST_AXES),
  data_offsets: z.tuple([natural, natural]),
});

/**
 * Where the tensors begin in a file of `size` bytes, from its first `LENGTH_BYTES`.
 * @throws {FormatError} beginning with `source`.
 */
export function dataStartOf(bytes: Uint8Array, size: number, source: string): number {
  if (size < LENGTH_BYTES) {
    throw new FormatError(
      `${source}: expected a safetensors file, which starts with ${LENGTH_BYTES} bytes of length, got ${size} bytes`,
    );
  }
  const stated = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  const longest = Math.min(size - LENGTH_BYTES, LONGEST_HEADER);
  if (stated > BigInt(longest)) {
    throw new FormatError(
      `${source}: expected a header of at most ${longest} bytes in this file of ${size}, got the length ${stated}; ` +
        'the file is cut off or is not a safetensors file',
    );
  }
  return LENGTH_BYTES + Number(stated);
}

/**
 * Reads and checks everything that the header says, against the length of the file.
 * @param bytes The file, or as much of it as `dataStartOf` says; `size` is then the length of the whole.
 * @throws {FormatError} beginning with `source`.
 */
export function decodeHeader(bytes: Uint8Array, source: string, size = bytes.byteLength): Header {
  const dataStart = dataStartOf(bytes, size, source);
  const header = bytes.subarray(LENGTH_BYTES, dataStart);
  const text = headerText(header, source);
  checkDepth(`${source}: header`, header);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${source}: expected the header to be JSON; ${String(error)}`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new FormatError(`${source}: expected the header to be a JSON object`);
  }
  const fields: [string, unknown][] = Object.entries(json);
  const entries = fields
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => headerEntryOf(name, entry, source))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkPlaces(entries, size - dataStart, source);
  const metadata = fields.find(([name]) => name === METADATA)?.[1] ?? {};
  return {
    entries,
    metadata: checkJson(`${source}: ${METADATA}`, metadata, z.record(z.string(), z.string())),
    dataStart,
  };
}

function headerText(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new FormatError(`${source}: expected the header to be UTF-8 text`, { cause: error });
  }
}

function headerEntryOf(name: string, json: unknown, source: string): HeaderEntry {
  const place = `${source}: tensor ${name}`;
  const { dtype, shape, data_offsets } = checkJson(place, json, headerEntry);
  const [begin, end] = data_offsets;
  const needed = shape.reduce((product, extent) => product * extent, elementBytes[dtype]);
  if (end - begin !== needed) {
    throw new FormatError(
      `${place}: expected ${needed} bytes for ${dtype} [${shape.join(', ')}], got the offsets ${begin}…${end}`,
    );
  }
  return { name, type: dtype, shape, begin, end };
}

/** The tensors must lie one after the other and fill the file: no gap, no overlap, nothing after them. */
function checkPlaces(entries: readonly HeaderEntry[], dataBytes: number, source: string): void {
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const fault = begin > position ? 'a gap lies before it' : 'it overlaps another';
      throw new FormatError(
        `${source}: tensor ${name}: expected to begin at ${position}, got ${begin}: ${fault}`,
      );
    }
    position = end;
  }
  if (position !== dataBytes) {
    const fault = position > dataBytes ? 'the file is cut off' : 'there is something after the last tensor';
    throw new FormatError(`${source}: expected ${position} bytes of tensors, got ${dataBytes}: ${fault}`);
  }
}
