import {
  type HostTensor,
  type ParameterMask,
  type ParameterMasks,
  entriesOfMask,
  keptCount,
  maskFrom,
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

/** Stored tensors with every matrix whole. */
export interface Reading {
  /** Of the matrices that are stored sparse. */
  readonly masks: ParameterMasks;
  /** Names, shapes and types as if every matrix were stored whole. */
  readonly described: ReadonlyMap<string, Described>;
  /** One after another; zeros where nothing is stored. */
  tensors(): AsyncGenerator<[string, HostTensor]>;
}

/**
 * Opens stored tensors as whole ones. What says where weights are is read at once, the weights are read as they are used.
 * @param shapes Of the parameters that may be stored sparse, by path.
 * @throws {FormatError} naming the matrix: places without values or the other way round, more or fewer of them, out of
 * order or out of range.
 */
export async function sparseReading(
  stored: OpenSafetensors,
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<Reading> {
  const entries = new Map(stored.entries.map((entry) => [entry.name, entry]));
  const masks: Record<string, ParameterMask> = {};
  const values = new Map<string, HeaderEntry>();
  for (const [path, shape] of shapes) {
    const own = entries.get(path + VALUES);
    if (entries.has(path) || own === undefined) continue;
    masks[path] = await maskIn(stored, entries, { path, shape, values: own });
    values.set(path, own);
    for (const part of [VALUES, BITMAP, INDICES]) entries.delete(path + part);
  }
  const described = new Map<string, Described>();
  for (const [name, { type, shape }] of entries) described.set(name, { dtype: typeInMemory[type], shape });
  for (const path of values.keys()) described.set(path, { dtype: 'float32', shape: shapes.get(path) ?? [] });
  async function* tensors(): AsyncGenerator<[string, HostTensor]> {
    for (const [name, entry] of entries) yield [name, await stored.read(entry)];
    for (const [path, entry] of values) {
      const mask = masks[path];
      if (mask !== undefined) yield [path, scattered(await stored.read(entry), mask)];
    }
  }
  return { masks, described, tensors };
}

interface SparseMatrix {
  readonly path: string;
  readonly shape: readonly number[];
  readonly values: HeaderEntry;
}

async function maskIn(
  { file, read }: OpenSafetensors,
  entries: ReadonlyMap<string, HeaderEntry>,
  { path, shape, values }: SparseMatrix,
): Promise<ParameterMask> {
  const [bitmap, indices] = [entries.get(path + BITMAP), entries.get(path + INDICES)];
  const fault: Fault = (what) => new FormatError(`${file}: ${path}: ${what}`);
  const found = bitmap ?? indices;
  if (found === undefined) throw fault('expected a bitmap or indices beside its values');
  if (bitmap !== undefined && indices !== undefined)
    throw fault('expected a bitmap or indices beside its values, got both');
  const size = shape.reduce((product, extent) => product * extent, 1);
  const places = await read(found);
  const kept = bitmap === undefined ? keptByIndices(places, size, fault) : keptByBitmap(places, size, fault);
  const mask = maskFrom(kept, shape);
  const count = values.shape.reduce((product, extent) => product * extent, 1);
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
