import { type NamedAttrMap, type Tensor, engine, getGradient, registerGradient } from '@tensorflow/tfjs-core';
import { numbered } from '../tree/tree';

/**
 * Runs an engine's kernel that takes a list of tensors and gives a list. Its gradient is the kernel `…Gradient`, which is
 * given the results' gradients, then the inputs, and answers with the gradients of the inputs from `firstTrained` on;
 * those before it are constants.
 */
export function runListKernel<Outputs extends Tensor[]>(
  kernel: string,
  inputs: readonly Tensor[],
  attributes: NamedAttrMap,
  firstTrained: (inputs: number) => number = () => 0,
): Outputs {
  provideGradient(kernel, firstTrained);
  return engine().runKernel<Outputs>(kernel, numbered(inputs), attributes);
}

/** tfjs differentiates an operation with several results only by a gradient that is registered under its name. */
function provideGradient(kernel: string, firstTrained: (inputs: number) => number): void {
  if (getGradient(kernel) !== undefined) return;
  registerGradient({
    kernelName: kernel,
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const dys = Array.isArray(dy) ? dy : [dy];
      const inputs = numbered([...dys, ...saved]);
      const gradients = engine().runKernel<Tensor[]>(`${kernel}Gradient`, inputs, attributes);
      const first = firstTrained(saved.length);
      return Object.fromEntries(gradients.map((gradient, index) => [first + index, () => gradient]));
    },
  });
}
