import { type KernelFunc, type TensorInfo, getKernel, registerKernel } from '@tensorflow/tfjs-core';
import { TorchBackend, backendName } from '../backend';
import type { KernelCall } from '../call';

/** Writes a kernel's inputs and attributes as the arguments of the addon's operation. */
export type Arguments = (call: KernelCall) => void;

/** A kernel that one operation of the addon answers, with one result. */
export function nativeKernel(name: string, operation: string, write: Arguments): void {
  nativeKernelOfMany(name, operation, write, ([result]) => {
    if (result === undefined) throw new Error('expected a result, got none');
    return result;
  });
}

/** A kernel that one operation of the addon answers, with a list of results. */
export function nativeKernelOfMany(
  name: string,
  operation: string,
  write: Arguments,
  finish: (results: TensorInfo[]) => TensorInfo | TensorInfo[] = (results) => results,
): void {
  let position = -1;
  define(name, ({ inputs, attrs, backend }) => {
    const torch = torchBackend(backend);
    if (position < 0) position = torch.positionOf(operation);
    const call = torch.call.begin(name, inputs, attrs ?? {}, operation);
    try {
      write(call);
      return finish(torch.run(position));
    } catch (error) {
      throw call.failed(error);
    }
  });
}

/** A kernel whose result is its input under a shape of its own: the data is shared. */
export function sharingKernel(
  name: string,
  input: string,
  shapeOf: (x: TensorInfo, call: KernelCall) => number[],
): void {
  define(name, ({ inputs, attrs, backend }) => {
    const torch = torchBackend(backend);
    const call = torch.call.read(name, inputs, attrs ?? {});
    const x = call.input(input);
    const shape = shapeOf(x, call);
    torch.incRef(x.dataId);
    return { dataId: x.dataId, shape, dtype: x.dtype };
  });
}

function define(kernelName: string, kernelFunc: KernelFunc): void {
  if (getKernel(kernelName, backendName) !== undefined) return;
  registerKernel({ kernelName, backendName, kernelFunc });
}

function torchBackend(backend: unknown): TorchBackend {
  if (backend instanceof TorchBackend) return backend;
  throw new Error(`expected the ${backendName} backend`);
}
