import { type NamedAttrMap, type Tensor, engine, getGradient, registerGradient } from '@tensorflow/tfjs-core';
import { numbered } from '../tree/tree';

/** Tells the gradient of a kernel which inputs it reads, and which of them have a gradient. */
interface ListGradient {
  /** The inputs that it reads, by their numbers; all of them unless it says which. */
  readonly saved?: readonly string[];
  /** The first input that has a gradient: those before it are constants. */
  firstTrained?(inputs: number): number;
}

/**
 * Runs an engine's kernel that takes a list of tensors and gives a list. Its gradient is the kernel `…Gradient`, which is
 * given the results' gradients, then the inputs, and answers with the gradients of the inputs from `firstTrained` on.
 */
export function runListKernel<Outputs extends Tensor[]>(
  kernel: string,
  inputs: readonly Tensor[],
  attributes: NamedAttrMap,
  gradient: ListGradient = {},
): Outputs {
  provideGradient(kernel, gradient);
  return engine().runKernel<Outputs>(kernel, numbered(inputs), attributes);
}

/** tfjs differentiates an operation with several results only by a gradient that is registered under its name. */
function provideGradient(kernel: string, { saved: read, firstTrained = () => 0 }: ListGradient): void {
  if (getGradient(kernel) !== undefined) return;
  registerGradient({
    kernelName: kernel,
    ...(read === undefined ? { saveAllInputs: true } : { inputsToSave: [...read] }),
    gradFunc: (dy, saved, attributes) => {
      const dys = Array.isArray(dy) ? dy : [dy];
      const inputs = numbered([...dys, ...saved]);
      const gradients = engine().runKernel<Tensor[]>(`${kernel}Gradient`, inputs, attributes);
      const first = firstTrained(saved.length);
      return Object.fromEntries(gradients.map((gradient, index) => [first + index, () => gradient]));
    },
  });
}
