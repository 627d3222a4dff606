import type { NativeValues } from './addon';

/** The types that the addon knows; their numbers are the ones of addon/call.h. */
export type NativeType = 'float32' | 'int32' | 'bool';

const nativeTypes: readonly NativeType[] = ['float32', 'int32', 'bool'];

/** @throws {Error} for complex64 and string, which libtorch is not used for here. */
export function numberOfType(dtype: unknown): number {
  const number = nativeTypes.findIndex((type) => type === dtype);
  if (number < 0) throw new Error(`expected float32, int32 or bool, got ${String(dtype)}`);
  return number;
}

export function typeOfNumber(number: number): NativeType {
  const type = nativeTypes[number];
  if (type === undefined) throw new Error(`expected the number of a type, got ${number}`);
  return type;
}

export function emptyValues(type: NativeType, size: number): NativeValues {
  switch (type) {
    case 'float32':
      return new Float32Array(size);
    case 'int32':
      return new Int32Array(size);
    case 'bool':
      return new Uint8Array(size);
    default:
      return type satisfies never;
  }
}

/** The data that TensorFlow.js holds as a tensor's `dataId`: the addon's handle, and how many tensors share it. */
export class TorchData {
  refCount = 1;

  constructor(
    /** −1 when its numbers are no longer in the addon. */
    public handle: number,
    public type: NativeType,
    /** The shape under which the addon has it; a reshaped tensor shares the data and has another. */
    public shape: readonly number[],
  ) {}
}
