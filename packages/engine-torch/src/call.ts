import type { DataType, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '@tensorflow/tfjs-core';
import { numberOfType, type TorchData } from './data';
import { SignatureCursor } from './signatures';

/** Room for the arguments or results of one call: AdamW over some hundred leaves takes a few thousand. */
const SLOT_COUNT = 1 << 16;

/**
 * Writes the arguments of a kernel where the addon reads them, in the order of the operation's signature; the kernel's half
 * in C++ reads them in the same order. One object serves all kernels of a backend, as they do not nest.
 */
export class KernelCall {
  /** Shared with the addon. */
  readonly slots = new Float64Array(SLOT_COUNT);
  readonly #signature = new SignatureCursor();
  #position = 0;
  #kernel = '';
  #inputs: NamedTensorInfoMap = {};
  #attributes: NamedAttrMap = {};
  readonly #dataOf: (info: TensorInfo) => TorchData;

  constructor(dataOf: (info: TensorInfo) => TorchData) {
    this.#dataOf = dataOf;
  }

  /** Begins a kernel that one operation of the addon answers. */
  begin(kernel: string, inputs: NamedTensorInfoMap, attributes: NamedAttrMap, operation: string): this {
    this.#signature.begin(operation);
    return this.read(kernel, inputs, attributes);
  }

  /** Begins a kernel that needs no operation of the addon. */
  read(kernel: string, inputs: NamedTensorInfoMap, attributes: NamedAttrMap): this {
    this.#kernel = kernel;
    this.#inputs = inputs;
    this.#attributes = attributes;
    this.#position = 0;
    return this;
  }

  /** Runs other work that writes arguments, and goes on where this call stood. */
  interruptedBy<Result>(work: () => Result): Result {
    const [kernel, inputs, attributes] = [this.#kernel, this.#inputs, this.#attributes];
    const written = this.slots.slice(0, this.#position);
    try {
      return this.#signature.interruptedBy(work);
    } finally {
      this.read(kernel, inputs, attributes);
      this.slots.set(written);
      this.#position = written.length;
    }
  }

  /** @throws {Error} if arguments are missing. */
  end(): void {
    this.#signature.end();
  }

  /** @throws {Error} if there is no such input. */
  input(name: string): TensorInfo {
    const input = this.#inputs[name];
    if (input === undefined) throw new Error(`expected an input "${name}", got none`);
    return input;
  }

  /** The inputs of a kernel that takes a list, which tfjs numbers. */
  list(): TensorInfo[] {
    return Object.values(this.#inputs).flatMap((input) => input ?? []);
  }

  /** The inputs `<name>0`, `<name>1`, …, as many as there are. */
  numbered(name: string): TensorInfo[] {
    const found: TensorInfo[] = [];
    for (let next = this.#inputs[`${name}0`]; next; next = this.#inputs[`${name}${found.length}`])
      found.push(next);
    return found;
  }

  attribute(name: string): unknown {
    return this.#attributes[name];
  }

  numberAttribute(name: string): number {
    const value = this.#attributes[name];
    if (typeof value !== 'number') throw new Error(`expected a number as "${name}", got ${String(value)}`);
    return value;
  }

  /** A list of numbers, or one number as a list of one. */
  numbersAttribute(name: string): number[] {
    const value = this.#attributes[name];
    return (Array.isArray(value) ? value : [value]).map((each: unknown) => {
      if (typeof each !== 'number') throw new Error(`expected numbers as "${name}", got ${String(value)}`);
      return each;
    });
  }

  /** Ascending, counted from 0; all axes if none are given. */
  axesAttribute(name: string, shape: number[]): number[] {
    const value = this.#attributes[name];
    const axes = value === undefined || value === null ? [] : this.numbersAttribute(name);
    const given = value === undefined || value === null ? shape.map((_, axis) => axis) : axes;
    return util.parseAxisParam(given, shape).toSorted((a, b) => a - b);
  }

  axisAttribute(name: string, shape: number[]): number {
    const [axis = 0] = util.parseAxisParam(this.numberAttribute(name), shape);
    return axis;
  }

  tensor(name: string): this {
    return this.tensorOf(this.input(name));
  }

  tensorOf(info: TensorInfo): this {
    this.#signature.take('t');
    return this.#putTensor(info);
  }

  tensors(infos: readonly TensorInfo[]): this {
    this.#signature.take('T');
    this.#put(infos.length);
    for (const info of infos) this.#putTensor(info);
    return this;
  }

  number(value: number): this {
    this.#signature.take('n');
    return this.#put(value);
  }

  /** The number of groups of arguments that follow. */
  groups(count: number): this {
    this.#signature.takeGroup(count);
    return this.#put(count);
  }

  numberNamed(name: string): this {
    return this.number(this.numberAttribute(name));
  }

  flag(value: boolean): this {
    this.#signature.take('f');
    return this.#put(value ? 1 : 0);
  }

  flagNamed(name: string): this {
    return this.flag(this.#attributes[name] === true);
  }

  /** Whether another tensor has the same memory. */
  isShared(info: TensorInfo): boolean {
    return this.#dataOf(info).refCount > 1;
  }

  integers(values: readonly number[]): this {
    this.#signature.take('i');
    return this.#putAll(values);
  }

  type(dtype: DataType): this {
    this.#signature.take('d');
    return this.#put(numberOfType(dtype));
  }

  typeNamed(name: string): this {
    this.#signature.take('d');
    return this.#put(numberOfType(this.#attributes[name]));
  }

  /** @returns the error with the kernel's name before it. */
  failed(error: unknown): Error {
    const inputs = Object.entries(this.#inputs).map(
      ([name, input]) => `${name} ${input?.dtype} [${input?.shape.join(', ')}]`,
    );
    // Not instanceof: an error thrown by the addon belongs to the realm that Node started with.
    const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
    const reason = String(hasMessage ? error.message : error);
    return new Error(`${this.#kernel} of ${inputs.join(', ') || 'no tensor'} failed on torch: ${reason}`, {
      cause: error,
    });
  }

  #put(value: number): this {
    if (this.#position >= SLOT_COUNT) throw new Error(`expected at most ${SLOT_COUNT} numbers as arguments`);
    this.slots[this.#position++] = value;
    return this;
  }

  #putAll(values: readonly number[]): this {
    this.#put(values.length);
    for (const value of values) this.#put(value);
    return this;
  }

  #putTensor(info: TensorInfo): this {
    const data = this.#dataOf(info);
    this.#put(data.handle);
    const { shape } = info;
    if (shape === data.shape || isSame(shape, data.shape)) return this.#put(-1);
    return this.#putAll(shape);
  }
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  for (let axis = 0; axis < one.length; axis++) if (one[axis] !== other[axis]) return false;
  return true;
}
