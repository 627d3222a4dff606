import type { HostTensor, HostTensors } from '@winnow/core';
import { readBytes } from '../file/read-file';
import { type StreamedContent, writeAtomically } from '../file/write-atomically';
import { type ElementType, elementBytes, valuesOf } from './element';
import { LENGTH_BYTES, METADATA, decodeHeader } from './header';

/** The content of a safetensors file; the tensors in the order in which they lie in the file. */
export interface Safetensors {
  readonly tensors: Map<string, HostTensor>;
  readonly metadata: Record<string, string>;
}

/**
 * Reads a file whole. Half precision becomes float32; int64, bytes and booleans become int32. Tensors share one buffer.
 * @throws {FormatError} naming the file and the tensor, when anything about it is not as the format says.
 */
export async function readSafetensors(file: string): Promise<Safetensors> {
  return decodeSafetensors(await readBytes(file), file);
}

/** Like `readSafetensors`, of bytes; `source` names them in errors. */
export function decodeSafetensors(bytes: Uint8Array, source: string): Safetensors {
  const { entries, metadata, dataStart } = decodeHeader(bytes, source);
  const tensors = entries.map(({ name, type, shape, begin, end }): [string, HostTensor] => {
    const stored = bytes.subarray(dataStart + begin, dataStart + end);
    return [name, valuesOf(type, stored, shape, `${source}: tensor ${name}`)];
  });
  return { tensors: new Map(tensors), metadata };
}

/**
 * Writes a file atomically, the tensors in the order given; the same content gives the same bytes. The values must not
 * change until the promise settles: they are not copied.
 * @throws {RangeError} for a name that the format reserves, or values that do not fill their shape.
 * @throws {FormatError} when the file cannot be written; it is unchanged then.
 */
export async function writeSafetensors(
  file: string,
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeAtomically(file, safetensorsPieces(tensors, metadata));
}

/** The bytes that `writeSafetensors` writes. */
export function encodeSafetensors(
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const pieces = safetensorsPieces(tensors, metadata);
  const bytes = new Uint8Array(pieces.reduce((total, piece) => total + piece.byteLength, 0));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.byteLength;
  }
  return bytes;
}

/** The file in pieces: the header, then every tensor's bytes, which are views of its values. */
function safetensorsPieces(tensors: HostTensors, metadata: Readonly<Record<string, string>>): Uint8Array[] {
  for (const [name, { shape, values }] of tensors) checkCount(name, shape, values.length);
  return [headerOf(tensors, metadata).header, ...[...tensors.values()].map(bytesOf)];
}

/**
 * The bytes that `writeSafetensors` writes, of tensors that come one by one: `read` is asked for each when its turn has
 * come, so that one of them need be in memory at a time.
 * @throws {RangeError} for a name that the format reserves; while streaming, for a tensor that is not as described.
 */
export function streamSafetensors(
  described: ReadonlyMap<string, Described>,
  read: (name: string) => Promise<HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): StreamedContent {
  const { header, dataBytes } = headerOf(described, metadata);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield header;
    for (const [name, { dtype, shape }] of described) {
      const tensor = await read(name);
      if (tensor.dtype !== dtype) throw new RangeError(`${name}: expected ${dtype}, got ${tensor.dtype}`);
      checkCount(name, shape, tensor.values.length);
      yield bytesOf(tensor);
    }
  }
  return { bytes: header.byteLength + dataBytes, pieces: pieces() };
}

type Described = Pick<HostTensor, 'dtype' | 'shape'>;

/** Makes the header that stands before the values, and counts the bytes of these. */
function headerOf(
  tensors: ReadonlyMap<string, Described>,
  metadata: Readonly<Record<string, string>>,
): { readonly header: Uint8Array; readonly dataBytes: number } {
  const fields = Object.keys(metadata).length === 0 ? [] : [fieldOf(METADATA, metadata)];
  let begin = 0;
  for (const [name, { dtype, shape }] of tensors) {
    if (name === METADATA)
      throw new RangeError(`${METADATA} is no name for a tensor: the format reserves it`);
    const type: ElementType = dtype === 'float32' ? 'F32' : 'I32';
    const end = begin + countOf(shape) * elementBytes[type];
    fields.push(fieldOf(name, { dtype: type, shape, data_offsets: [begin, end] }));
    begin = end;
  }
  return { header: paddedHeader(new TextEncoder().encode(`{${fields.join(',')}}`)), dataBytes: begin };
}

/** Written by hand: an object would put names that look like numbers first. */
const fieldOf = (name: string, value: unknown): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`;

const bytesOf = ({ values: { buffer, byteOffset, byteLength } }: HostTensor): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Length and header, filled up with spaces so that the first tensor is aligned. */
function paddedHeader(header: Uint8Array): Uint8Array {
  const length = Math.ceil(header.byteLength / LENGTH_BYTES) * LENGTH_BYTES;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(header, LENGTH_BYTES);
  return bytes;
}

const countOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

function checkCount(name: string, shape: readonly number[], count: number): void {
  const expected = countOf(shape);
  if (count !== expected) {
    throw new RangeError(`${name}: expected ${expected} values for [${shape.join(', ')}], got ${count}`);
  }
}
