import { type BackendValues, type DataType, KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core';
import type { TracedValue, ValueSource } from './recording';

/** A TensorFlow.js backend that computes nothing: its tensors are the values of a recording, which have only shapes. */
export class TraceBackend extends KernelBackend {
  readonly values: TracedValue[] = [];
  readonly #known = new Map<object, TracedValue>();
  readonly #references = new Map<object, number>();

  /** A new value, as the tensor that stands for it. */
  represent(shape: readonly number[], dtype: DataType, source: ValueSource): TensorInfo {
    const value: TracedValue = { id: this.values.length, shape: [...shape], dtype, source };
    this.values.push(value);
    this.#known.set(value, value);
    this.#references.set(value, 1);
    return { dataId: value, shape: [...shape], dtype };
  }

  /** The value that a tensor stands for. @throws {Error} for a tensor of another backend: a model may not hold any. */
  find(dataId: object): TracedValue {
    const known = this.#known.get(dataId);
    if (known !== undefined) return known;
    throw new Error('a forward pass that is traced has made use of a tensor that is not among its inputs');
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): object {
    const numbers = Array.from<unknown>(values).map(Number);
    return this.represent(shape, dtype, { kind: 'constant', values: numbers }).dataId;
  }

  override readSync(): BackendValues {
    throw new Error('a forward pass that is traced has asked for numbers, which do not exist');
  }

  override read(): Promise<BackendValues> {
    return Promise.reject(
      new Error('a forward pass that is traced has asked for numbers, which do not exist'),
    );
  }

  override refCount(dataId: object): number {
    return this.#references.get(dataId) ?? 0;
  }

  override incRef(dataId: object): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }

  override disposeData(dataId: object, force = false): boolean {
    const left = this.refCount(dataId) - 1;
    if (!force && left > 0) {
      this.#references.set(dataId, left);
      return false;
    }
    this.#references.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#references.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {
    this.#references.clear();
  }
}
