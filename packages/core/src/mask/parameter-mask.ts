import { type Shaped, type Tree, entriesOf } from '../tree/tree';

/** Which entries of one parameter stay, as plain data. */
export interface ParameterMask {
  readonly kind: 'mask';
  readonly shape: readonly number[];
  /** Base64 of one bit per entry, row-major; entry i is bit i mod 8 of byte ⌊i/8⌋. Bits after the last are 0. */
  readonly bits: string;
}

/** Masks by path of their parameter; a parameter that is not named keeps everything. */
export type ParameterMasks = Readonly<Record<string, ParameterMask>>;

/** 1 where an entry stays and 0 where it goes, by path: what masks are computed in. */
export type KeptEntries = Readonly<Record<string, Uint8Array>>;

const sizeOfShape = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);

/**
 * The mask that keeps the entries that are not 0.
 * @throws {RangeError} when there are more or fewer of them than the shape holds.
 */
export function maskFrom(kept: ArrayLike<number>, shape: readonly number[]): ParameterMask {
  const size = sizeOfShape(shape);
  if (kept.length !== size) {
    throw new RangeError(`expected ${size} entries for a mask of [${shape.join(', ')}], got ${kept.length}`);
  }
  const bytes = new Uint8Array(Math.ceil(size / 8));
  for (let i = 0; i < size; i++) if (kept[i] !== 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  return { kind: 'mask', shape: [...shape], bits: toBase64(bytes) };
}

/**
 * One entry per weight, 1 where it stays.
 * @throws {RangeError} when the bits are not base64 or do not fill the shape.
 */
export function entriesOfMask({ shape, bits }: ParameterMask): Uint8Array {
  const size = sizeOfShape(shape);
  const bytes = fromBase64(bits);
  const spare = size & 7;
  const tail = spare === 0 ? 0 : (bytes[bytes.length - 1] ?? 0) >> spare;
  if (bytes.length !== Math.ceil(size / 8) || tail !== 0) {
    throw new RangeError(
      `expected ${size} bits for a mask of [${shape.join(', ')}], got ${bytes.length} bytes`,
    );
  }
  return Uint8Array.from({ length: size }, (_, i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1);
}

/** The number of entries that a mask keeps. */
export function keptCount({ bits }: ParameterMask): number {
  return fromBase64(bits).reduce((total, byte) => total + (BITS_SET[byte] ?? 0), 0);
}

/** The number of entries of a mask. */
export const maskSize = ({ shape }: ParameterMask): number => sizeOfShape(shape);

/** The number of entries that masks take away. */
export function maskedCount(masks: ParameterMasks): number {
  return Object.values(masks).reduce((total, mask) => total + maskSize(mask) - keptCount(mask), 0);
}

/**
 * Checks masks against the parameters that they are for.
 * @throws {RangeError} naming the parameter: unknown, of another shape, or with bits that do not fill it.
 */
export function checkMasks(masks: ParameterMasks, specs: Tree<Shaped>): void {
  const shapes = new Map(entriesOf<Shaped>(specs).map(([path, { shape }]) => [path, shape]));
  for (const [path, mask] of Object.entries(masks)) {
    const shape = shapes.get(path);
    if (shape === undefined) throw new RangeError(`the mask is for ${path}, which the model does not have`);
    if (shape.join() !== mask.shape.join()) {
      throw new RangeError(
        `the mask of ${path} is for [${mask.shape.join(', ')}], the model has [${shape.join(', ')}]`,
      );
    }
    entriesOfMask(mask);
  }
}

const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let set = 0;
  for (let rest = byte; rest > 0; rest >>= 1) set += rest & 1;
  return set;
});

/** Bytes that are turned into text at once: a call takes only so many arguments. */
const CHUNK = 0x6000;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // A multiple of 3, so that only the last chunk is padded.
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + CHUNK)));
  }
  return text;
}

function fromBase64(text: string): Uint8Array {
  let decoded: string;
  try {
    decoded = atob(text);
  } catch {
    throw new RangeError(`expected base64, got ${JSON.stringify(text.slice(0, 20))}…`);
  }
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}
