import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  getKernel,
  registerKernel,
  unregisterKernel,
  util,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

type KernelOutput = TensorInfo | TensorInfo[];

/** The inputs, attributes and backend that a kernel is called with. */
export interface KernelCall {
  readonly backend: BackendWasm;
  readonly attributes: NamedAttrMap;
  /** @throws {Error} if there is no such input. */
  input(name: string): TensorInfo;
  /** The same call, or one with other inputs, answered by the kernel that the backend came with. */
  original(inputs?: NamedTensorInfoMap): KernelOutput;
}

/** The kernels as the backend's package made them: ours fall back on them. */
const originals = new Map<string, KernelConfig>();

function originalKernel(name: string): KernelConfig {
  return originals.get(name) ?? getKernel(name, 'wasm');
}

/** Puts a kernel of ours in the place of the backend's, or beside them. Doing so again changes nothing. */
export function replaceKernel(name: string, kernel: (call: KernelCall) => KernelOutput): void {
  const found = getKernel(name, 'wasm');
  if (found !== undefined) {
    if (!originals.has(name)) originals.set(name, found);
    unregisterKernel(name, 'wasm');
  }
  registerKernel({
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend, attrs }) => {
      if (!(backend instanceof BackendWasm)) throw new Error(`${name}: expected the wasm backend.`);
      return kernel({
        backend,
        attributes: attrs ?? {},
        input: (inputName) => {
          const input = inputs[inputName];
          if (input === undefined) throw new Error(`${name}: expected an input "${inputName}", got none.`);
          return input;
        },
        original: (others = inputs) =>
          originalKernel(name).kernelFunc({ inputs: others, backend, attrs: attrs ?? {} }),
      });
    },
  });
}

/** Runs a kernel that the backend came with. The caller disposes of the output, unless it returns it. */
export function runOriginal(
  name: string,
  backend: BackendWasm,
  inputs: NamedTensorInfoMap,
  attributes: NamedAttrMap = {},
): TensorInfo {
  const output = originalKernel(name).kernelFunc({ inputs, backend, attrs: attributes });
  if (Array.isArray(output)) throw new Error(`${name}: expected one output, got ${output.length}.`);
  return output;
}

/** The same numbers under another shape; it counts as a reference, so it is to be disposed of like a tensor. */
export function reshaped(backend: BackendWasm, x: TensorInfo, shape: number[]): TensorInfo {
  return runOriginal('Reshape', backend, { x }, { shape });
}

/** An attribute that is a number or a list of numbers, as a list. */
export function numbersOf(call: KernelCall, name: string): number[] {
  const value = call.attributes[name];
  const list = Array.isArray(value) ? value : [value];
  return list.map((each) => {
    if (typeof each !== 'number')
      throw new Error(`Expected numbers as "${name}", got ${JSON.stringify(value)}.`);
    return each;
  });
}

/** The address of a tensor's first number, in bytes. Making another output may not move it, but may grow the memory. */
export function addressOf(backend: BackendWasm, tensor: TensorInfo): number {
  return backend.typedArrayFromHeap(tensor).byteOffset;
}

export function sizeOf(tensor: TensorInfo): number {
  return util.sizeFromShape(tensor.shape);
}
