import {
  type HostTensor,
  type ParameterMask,
  type ParameterMasks,
  entriesOfMask,
  keptCount,
  maskFrom,
  sizeOf,
  sparseEncoding,
} from '@winnow/core';
import { FormatError } from '../file/format-error';
import { typeInMemory } from '../safetensors/element';
import type { HeaderEntry } from '../safetensors/header';
import type { OpenSafetensors } from '../safetensors/open-safetensors';

/**
 * A masked matrix is two tensors in the place of one: `<path>.values`, the weights that are left in the order of their
 * places [survivors], and where these are: `<path>.bitmap`, one bit for every weight in words of 32 [⌈size/32⌉], the
 * weight i being bit i mod 32 of word ⌊i/32⌋, or `<path>.indices`, the place of each [survivors], whichever is shorter.
 */
const VALUES = '.values';
const BITMAP = '.bitmap';
const INDICES = '.indices';

type Described = Pick<HostTensor, 'dtype' | 'shape'>;
type Reader = (name: string) => Promise<HostTensor>;

/** Tensors to be written, described before they are read. */
export interface Writing {
  readonly described: ReadonlyMap<string, Described>;
  /** @throws {RangeError} when a weight is not +0 where its mask says that it is gone: it would be lost. */
  readonly read: Reader;
}

/** Tensors with masked matrices stored sparse, read one by one as they are written. */
export function sparseWriting(
  parameters: readonly (readonly [path: string, described: Described])[],
  read: Reader,
  masks: ParameterMasks,
): Writing {
  const made = new Map<string, () => Promise<HostTensor>>();
  const described = parameters.flatMap(([path, whole]): [string, Described][] => {
    const mask = masks[path];
    if (mask === undefined) return [[path, whole]];
    const count = keptCount(mask);
    const { kind, words } = sparseEncoding(mask);
    const where = path + (kind === 'indices' ? INDICES : BITMAP);
    made.set(path + VALUES, async () => survivors(path, await read(path), mask));
    made.set(where, () => Promise.resolve(placesOf(mask)));
    return [
      [path + VALUES, { dtype: 'float32', shape: [count] }],
      [where, { dtype: 'int32', shape: [words] }],
    ];
  });
  return { described: new Map(described), read: (name) => made.get(name)?.() ?? read(name) };
}

function survivors(path: string, { dtype, values }: HostTensor, mask: ParameterMask): HostTensor {
  if (dtype !== 'float32') throw new RangeError(`${path}: expected float32 weights, got ${dtype}`);
  const left = new Float32Array(keptCount(mask));
  let next = 0;
  entriesOfMask(mask).forEach((entry, place) => {
    const weight = values[place] ?? Number.NaN;
    if (entry === 1) left[next++] = weight;
    else if (!Object.is(weight, 0)) {
      throw new RangeError(`${path}: expected +0 at ${place}, where the mask has nothing, got ${weight}`);
    }
  });
  return { dtype: 'float32', shape: [left.length], values: left };
}

function placesOf(mask: ParameterMask): HostTensor {
  const { kind, words } = sparseEncoding(mask);
  const values = new Int32Array(words);
  let next = 0;
  entriesOfMask(mask).forEach((entry, place) => {
    if (entry === 0) return;
    if (kind === 'indices') values[next++] = place;
    else values[place >> 5] = (values[place >> 5] ?? 0) | (1 << (place & 31));
  });
  return { dtype: 'int32', shape: [words], values };
}

/** Stored tensors, described as if every matrix were stored whole; none is read yet. */
export interface SparseLayout {
  readonly described: ReadonlyMap<string, Described>;
  /** Stored as they are. */
  readonly whole: readonly HeaderEntry[];
  readonly sparse: readonly SparseMatrix[];
}

interface SparseMatrix {
  readonly path: string;
  readonly shape: readonly number[];
  readonly values: HeaderEntry;
  readonly bitmap: HeaderEntry | undefined;
  readonly indices: HeaderEntry | undefined;
}

/** @param shapes Of the parameters that may be stored sparse, by path. */
export function sparseLayout(
  stored: readonly HeaderEntry[],
  shapes: ReadonlyMap<string, readonly number[]>,
): SparseLayout {
  const entries = new Map(stored.map((entry) => [entry.name, entry]));
  const sparse: SparseMatrix[] = [];
  for (const [path, shape] of shapes) {
    const [values, bitmap, indices] = [VALUES, BITMAP, INDICES].map((part) => entries.get(path + part));
    if (entries.has(path) || values === undefined) continue;
    sparse.push({ path, shape, values, bitmap, indices });
    for (const part of [VALUES, BITMAP, INDICES]) entries.delete(path + part);
  }
  const described = new Map<string, Described>();
  for (const [name, { type, shape }] of entries) described.set(name, { dtype: typeInMemory[type], shape });
  for (const { path, shape } of sparse) described.set(path, { dtype: 'float32', shape });
  return { described, whole: [...entries.values()], sparse };
}

/** Stored tensors with every matrix whole. */
export interface Reading {
  /** Masks of the matrices that are stored sparse. */
  readonly masks: ParameterMasks;
  /** One after another; zeros where nothing is stored. */
  tensors(): AsyncGenerator<[string, HostTensor]>;
}

/** Nearly nothing is left of a matrix that takes as many times the bytes of its file. */
const MOST_TIMES = 10_000;
/** Matrices that take less are never too large. */
const ALWAYS_BYTES = 2 ** 28;

/**
 * Opens stored tensors as whole ones. What says where weights are is read at once, the weights are read as they are used.
 * @throws {FormatError} naming the matrix: places without values or the other way round, more or fewer of them, out of
 * order or out of range; or when the matrices are far larger than what the file can say of them.
 */
export async function sparseReading(
  stored: OpenSafetensors,
  { whole, sparse }: Pick<SparseLayout, 'whole' | 'sparse'>,
): Promise<Reading> {
  const bytes = 4 * sparse.reduce((total, { shape }) => total + sizeOf({ shape }), 0);
  if (bytes > Math.max(ALWAYS_BYTES, MOST_TIMES * stored.size)) {
    throw new FormatError(
      `${stored.file}: expected masked matrices of a size that ${stored.size} bytes can fill, got ${bytes} bytes of them`,
    );
  }
  const masks: Record<string, ParameterMask> = {};
  for (const matrix of sparse) masks[matrix.path] = await maskIn(stored, matrix);
  async function* tensors(): AsyncGenerator<[string, HostTensor]> {
    for (const entry of whole) yield [entry.name, await stored.read(entry)];
    for (const { path, values } of sparse) {
      const mask = masks[path];
      if (mask !== undefined) yield [path, scattered(await stored.read(values), mask)];
    }
  }
  return { masks, tensors };
}

async function maskIn(
  { file, read }: OpenSafetensors,
  { path, shape, values, bitmap, indices }: SparseMatrix,
): Promise<ParameterMask> {
  const fault: Fault = (what) => new FormatError(`${file}: ${path}: ${what}`);
  const found = bitmap ?? indices;
  if (found === undefined) throw fault('expected a bitmap or indices beside its values');
  if (bitmap !== undefined && indices !== undefined)
    throw fault('expected a bitmap or indices beside its values, got both');
  const size = sizeOf({ shape });
  const places = await read(found);
  const kept = bitmap === undefined ? keptByIndices(places, size, fault) : keptByBitmap(places, size, fault);
  const mask = maskFrom(kept, shape);
  const count = sizeOf(values);
  if (typeInMemory[values.type] !== 'float32' || count !== keptCount(mask)) {
    throw fault(`expected ${keptCount(mask)} values, one for each place, got ${count}`);
  }
  return mask;
}

type Fault = (what: string) => FormatError;

function keptByIndices({ dtype, values }: HostTensor, size: number, fault: Fault): Uint8Array {
  if (dtype !== 'int32') throw fault(`expected int32 indices, got ${dtype}`);
  const kept = new Uint8Array(size);
  let last = -1;
  for (const place of values) {
    if (place <= last || place >= size) {
      throw fault(`expected places that ascend within 0…${size - 1}, got ${place} after ${last}`);
    }
    kept[place] = 1;
    last = place;
  }
  return kept;
}

function keptByBitmap({ dtype, values: words }: HostTensor, size: number, fault: Fault): Uint8Array {
  const spare = size & 31;
  const tail = spare === 0 ? 0 : (words[words.length - 1] ?? 0) >>> spare;
  if (dtype !== 'int32' || words.length !== Math.ceil(size / 32) || tail !== 0) {
    throw fault(`expected a bitmap of ${size} bits`);
  }
  return Uint8Array.from({ length: size }, (_, place) => ((words[place >> 5] ?? 0) >>> (place & 31)) & 1);
}

function scattered({ values }: HostTensor, mask: ParameterMask): HostTensor {
  const kept = entriesOfMask(mask);
  const weights = new Float32Array(kept.length);
  let next = 0;
  kept.forEach((entry, place) => {
    if (entry === 1) weights[place] = values[next++] ?? 0;
  });
  return { dtype: 'float32', shape: mask.shape, values: weights };
}
