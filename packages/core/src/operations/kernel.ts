import {
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  customGrad,
  engine,
  getBackend,
  getKernel,
} from '@tensorflow/tfjs-core';

/**
 * Runs the engine's own kernel where it has registered one under `name`, otherwise the composition of tfjs operations.
 * A native kernel takes the same inputs and attributes and returns the same list of tensors.
 */
export function runFused<Outputs extends Tensor[]>(
  name: string,
  inputs: NamedTensorMap,
  attributes: NamedAttrMap,
  compose: () => Outputs,
): Outputs {
  if (!hasKernel(name)) return compose();
  return engine().runKernel<Outputs>(name, inputs, attributes);
}

/** The engine that computes now, by the name that it is registered under. */
export const engineName = (): string => getBackend();

/** Whether the engine answers an operation that is otherwise composed. */
export const hasKernel = (name: string): boolean => getKernel(name, getBackend()) !== undefined;

/** Whether a gradient may be asked for what is computed now: if not, a kernel needs to keep nothing for it. */
export const isDifferentiating = (): boolean => engine().state.gradientDepth > 0;

/**
 * An operation with its own gradient: `forward` gives the value and every tensor that its gradient reads, inputs too;
 * `backward` maps the value's gradient to one gradient per input, in order. It must not close over tensors: the ones made
 * in the forward pass are gone by then, unless they were saved.
 */
export function differentiable<Value extends Tensor>(
  inputs: readonly Tensor[],
  forward: () => { value: Value; saved: Tensor[] },
  backward: (dy: Tensor, saved: Tensor[]) => Tensor[],
): Value {
  const operation = customGrad<Value>((...parameters) => {
    const { value, saved } = forward();
    const save = parameters.at(-1);
    if (typeof save === 'function') save(saved);
    return { value, gradFunc: backward };
  });
  return operation(...inputs);
}

/** Computes a constant: nothing is kept of it for a gradient, and none goes through it. */
export const withoutGradient = <Value extends Tensor>(compute: () => Value): Value =>
  customGrad<Value>(() => ({ value: compute(), gradFunc: () => [] }))();
