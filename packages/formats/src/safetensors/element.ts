import type { HostTensor } from '@winnow/core';
import { z } from 'zod';
import { FormatError } from '../file/format-error';

/** How the elements of a stored tensor are written. All are little endian, as the machines that we run on. */
export const elementTypes = z.enum(['F32', 'F16', 'BF16', 'I32', 'I64', 'U8', 'BOOL']);
export type ElementType = z.infer<typeof elementTypes>;

/** The type of an element in memory. */
export const typeInMemory: Readonly<Record<ElementType, HostTensor['dtype']>> = {
  F32: 'float32',
  F16: 'float32',
  BF16: 'float32',
  I32: 'int32',
  I64: 'int32',
  U8: 'int32',
  BOOL: 'int32',
};

/** Bytes of one element. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  I32: 4,
  I64: 8,
  U8: 1,
  BOOL: 1,
};

/**
 * Stored bytes → values in memory: F16 and BF16 become float32, I64, U8 and BOOL become int32. F32 and I32 are views
 * of `bytes` where its alignment allows it.
 * @throws {FormatError} beginning with `place`, for an I64 that int32 cannot hold.
 */
export function valuesOf(
  type: ElementType,
  bytes: Uint8Array,
  shape: readonly number[],
  place: string,
): HostTensor {
  switch (type) {
    case 'F32':
      return { dtype: 'float32', shape, values: new Float32Array(...aligned(bytes, 4)) };
    case 'F16':
      return { dtype: 'float32', shape, values: fromHalf(new Uint16Array(...aligned(bytes, 2))) };
    case 'BF16':
      return { dtype: 'float32', shape, values: fromBrainFloat(new Uint16Array(...aligned(bytes, 2))) };
    case 'I32':
      return { dtype: 'int32', shape, values: new Int32Array(...aligned(bytes, 4)) };
    case 'I64':
      return { dtype: 'int32', shape, values: fromLong(new BigInt64Array(...aligned(bytes, 8)), place) };
    case 'U8':
    case 'BOOL':
      return { dtype: 'int32', shape, values: Int32Array.from(bytes) };
    default:
      return type satisfies never;
  }
}

/** Where a typed array of this width can lie: over the bytes themselves, or over a copy if they start at an odd place. */
function aligned(
  bytes: Uint8Array,
  width: number,
): [buffer: ArrayBufferLike, offset: number, length: number] {
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return [buffer, byteOffset, bytes.byteLength / width];
}

/** The upper half of a float32's bits. */
function fromBrainFloat(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. Every one of them is a float32. */
function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = valueOfHalf(halves[i] ?? 0);
  return values;
}

/** 2 to the power of every stored exponent: a call of the power per value would take most of the time of reading. */
const HALF_POWERS = Float64Array.from({ length: 0x20 }, (_, exponent) => 2 ** (exponent - 15));

function valueOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return (sign * fraction) / 0x1000000;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * (HALF_POWERS[exponent] ?? 0);
}

function fromLong(longs: BigInt64Array, place: string): Int32Array {
  return Int32Array.from(longs, (long, index) => {
    if (BigInt.asIntN(32, long) !== long) {
      throw new FormatError(`${place}: expected I64 values within the int32 range, got ${long} at ${index}`);
    }
    return Number(long);
  });
}
