import {
  type BackendValues,
  type DataType,
  type TensorInfo,
  KernelBackend,
  engine,
  util,
} from '@tensorflow/tfjs-core';
import type { NativeAddon } from './addon';
import { KernelCall } from './call';
import { TorchData, emptyValues, numberOfType, typeOfNumber } from './data';
import type { TorchSettings } from './options';

export const backendName = 'torch';

/** Tensors live in the addon; numbers cross only in `write`, `read` and `readSync`. */
export class TorchBackend extends KernelBackend {
  readonly call: KernelCall;
  readonly #addon: NativeAddon;
  readonly #positions: ReadonlyMap<string, number>;
  /** Data that began its life on another backend keeps that one's id. */
  readonly #foreign = new WeakMap<object, TorchData>();
  /** Tensors that have been uploaded ahead, by the numbers that they were uploaded from. */
  readonly #staged = new Map<BackendValues, TorchData>();
  #dataCount = 0;
  #settings: TorchSettings;

  constructor(addon: NativeAddon, settings: TorchSettings) {
    super();
    this.#addon = addon;
    this.#positions = new Map(addon.operations.map((name, position) => [name, position]));
    this.call = new KernelCall((info) => this.#dataOf(info.dataId));
    this.#settings = settings;
    this.#connect(settings);
  }

  get settings(): TorchSettings {
    return this.#settings;
  }

  /** @throws {Error} if the device is not here, or another than the one that holds tensors. */
  configure(settings: TorchSettings): void {
    this.#connect(settings);
    this.#settings = settings;
  }

  #connect({ threads, precision, device, kernels }: TorchSettings): void {
    this.#addon.connect(this.call.slots, threads, precision, device, kernels);
  }

  /** @throws {Error} if the addon has no operation of that name. */
  positionOf(operation: string): number {
    const position = this.#positions.get(operation);
    if (position === undefined) throw new Error(`expected an operation of the addon, got ${operation}`);
    return position;
  }

  /** Runs an operation on the arguments in `call`. */
  run(position: number): TensorInfo[] {
    this.call.end();
    this.#addon.run(position);
    return this.#results();
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): object {
    const data = this.#upload(values, shape, dtype);
    this.#dataCount++;
    return data;
  }

  /** Whether `stage` uploads here: a GPU does it beside what our kernels compute, and the processor has nothing to upload. */
  get stages(): boolean {
    return this.#settings.device !== 'cpu' && this.#settings.kernels === 'own';
  }

  /**
   * Uploads numbers ahead of the tensor that will be made of the same array, whose numbers stay as they are until then.
   * @returns lets go of them where no tensor was made.
   */
  stage(values: Float32Array): () => void {
    this.call.begin('stage', {}, {}, 'upload').type('float32').integers([values.length]);
    this.#addon.stage(values);
    const data = new TorchData(this.call.slots[1] ?? -1, 'float32', [values.length]);
    this.#staged.set(values, data);
    return () => {
      if (this.#staged.get(values) !== data) return;
      this.#staged.delete(values);
      this.#addon.release(data.handle);
    };
  }

  override move(dataId: object, values: BackendValues, shape: number[], dtype: DataType, refCount: number) {
    // tfjs moves a tensor when a kernel asks for it, which is while the kernel's arguments are being written.
    const data = this.call.interruptedBy(() => this.#upload(values, shape, dtype));
    data.refCount = refCount;
    this.#foreign.set(dataId, data);
    this.#dataCount++;
  }

  override readSync(dataId: object): BackendValues {
    const { handle, type, shape } = this.#dataOf(dataId);
    const values = emptyValues(type, util.sizeFromShape([...shape]));
    this.#addon.read(handle, values);
    return values;
  }

  override read(dataId: object): Promise<BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override refCount(dataId: object): number {
    return this.#known(dataId)?.refCount ?? 0;
  }

  override incRef(dataId: object): void {
    this.#dataOf(dataId).refCount++;
  }

  override disposeData(dataId: object, force = false): boolean {
    const data = this.#known(dataId);
    if (data === undefined) return true;
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    this.#addon.release(data.handle);
    data.handle = -1;
    this.#foreign.delete(dataId);
    this.#dataCount--;
    return true;
  }

  override numDataIds(): number {
    return this.#dataCount;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  /** Gives the tensors and bytes that the addon holds, as it counts them. */
  nativeMemory(): { readonly tensors: number; readonly bytes: number } {
    this.#addon.memory();
    const [tensors = 0, bytes = 0] = this.call.slots;
    return { tensors, bytes };
  }

  /** Hands memory that was freed back to the system; what comes next takes it anew, at up to a millisecond for a megabyte. */
  giveBackFreed(): void {
    this.#addon.giveBack();
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return true;
  }

  override time(work: () => void): Promise<{ kernelMs: number }> {
    const start = performance.now();
    work();
    return Promise.resolve({ kernelMs: performance.now() - start });
  }

  override dispose(): void {
    // Every tensor is released by its own disposeData; there is nothing beside them.
  }

  #known(dataId: object): TorchData | undefined {
    const moved = this.#foreign.get(dataId);
    if (moved !== undefined) return moved;
    return dataId instanceof TorchData && dataId.handle >= 0 ? dataId : undefined;
  }

  #dataOf(dataId: object): TorchData {
    // First what almost every tensor is: data made here.
    if (dataId instanceof TorchData && dataId.handle >= 0) return dataId;
    const known = this.#known(dataId);
    if (known !== undefined) return known;
    engine().moveData(this, dataId);
    const moved = this.#known(dataId);
    if (moved === undefined) throw new Error('expected a tensor of a backend that is registered');
    return moved;
  }

  #upload(values: BackendValues, shape: number[], dtype: DataType): TorchData {
    const staged = dtype === 'float32' ? this.#staged.get(values) : undefined;
    if (staged !== undefined) {
      this.#staged.delete(values);
      this.#addon.claim(staged.handle);
      return staged;
    }
    const type = typeOfNumber(numberOfType(dtype));
    const own = emptyValues(type, 0);
    const isOwn = ArrayBuffer.isView(values) && Object.getPrototypeOf(values) === Object.getPrototypeOf(own);
    let uploaded = own;
    if (isOwn && isNative(values)) uploaded = values;
    else {
      uploaded = emptyValues(type, values.length);
      uploaded.set(Array.from<unknown>(values).map(Number));
    }
    this.call.begin('write', {}, {}, 'upload').type(type).integers(shape);
    this.#addon.upload(uploaded);
    const { slots } = this.call;
    return new TorchData(slots[1] ?? -1, type, shape.slice());
  }

  #results(): TensorInfo[] {
    const { slots } = this.call;
    const count = slots[0] ?? 0;
    const results: TensorInfo[] = [];
    let position = 1;
    for (let index = 0; index < count; index++) {
      const handle = slots[position] ?? -1;
      const dtype = typeOfNumber(slots[position + 1] ?? -1);
      const rank = slots[position + 2] ?? 0;
      position += 3;
      const shape: number[] = [];
      for (let axis = 0; axis < rank; axis++) shape.push(slots[position++] ?? 0);
      results.push({ dataId: new TorchData(handle, dtype, shape), shape, dtype });
    }
    this.#dataCount += count;
    return results;
  }
}

function isNative(values: unknown): values is Float32Array | Int32Array | Uint8Array {
  return values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
}
