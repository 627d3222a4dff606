import {
  type DataType,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
  engine,
  getBackend,
  getKernel,
  registerKernel,
  removeBackend,
  tidy,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { UserError, useName } from '@winnow/core';
import { z } from 'zod';
import { kernelShapes } from './kernel-shapes';
import type { Recording, TracedOperation } from './recording';
import { TraceBackend } from './trace-backend';

/** A forward pass that can be traced: it makes its tensors by the tracer, and names those that are its answer. */
export type TracedPass = (tracer: Tracer) => NamedTensorMap;

export interface Tracer {
  /** A tensor that stands for a parameter. */
  parameter(path: string, shape: readonly number[]): Tensor;
  /** A tensor that stands for what the model is given. */
  input(name: string, shape: readonly number[], dtype: DataType): Tensor;
  /** Names the product or the resizing that runs next; an observer of the forward pass is where it is known. */
  label(path: string): void;
}

const BACKEND = 'winnow-trace';
/** The kernels that a proof asks for by name. */
const labelled: ReadonlySet<string> = new Set([
  ...['WinnowLinear', 'BatchMatMul', 'WinnowResizeBilinear'],
  ...['WinnowMergePlan', 'WinnowScatterRows'],
  ...['WinnowAttention', 'WinnowContextAttention'],
]);
/** The error of tfjs for a kernel that a backend lacks. */
const UNKNOWN = /^Kernel '(\w+)' not registered for backend/;

/**
 * Runs a forward pass without computing anything, and tells which kernels it ran on which tensors. The engine that runs is
 * set aside for the while; nothing of it is waited for.
 * @throws {Error} when the pass runs a kernel that no rule is known for, or asks for numbers.
 */
export function trace(pass: TracedPass): Recording {
  const backend = new TraceBackend();
  const operations: TracedOperation[] = [];
  let label: string | undefined;
  const uses = new Map<string, number>();
  const named = (path: string): string => {
    const use = uses.get(path) ?? 0;
    uses.set(path, use + 1);
    return useName(path, use);
  };
  const run = (kernel: string, inputs: Readonly<Record<string, TensorInfo>>, attributes: object) => {
    const numbers = Object.entries(inputs).map(([name, { dataId }]) => [name, backend.find(dataId).id]);
    const known = Object.values(inputs);
    const results = (kernelShapes[kernel]?.(known, { ...attributes }) ?? []).map(({ shape, dtype }) =>
      backend.represent(shape, dtype, { kind: 'result', operation: operations.length }),
    );
    const takesLabel = labelled.has(kernel);
    operations.push({
      kernel,
      inputs: z.record(z.string(), z.number()).parse(Object.fromEntries(numbers)),
      attributes: { ...attributes },
      results: results.map(({ dataId }) => backend.find(dataId).id),
      ...(takesLabel && label !== undefined ? { label: named(label) } : {}),
    });
    if (takesLabel) label = undefined;
    return results;
  };
  const tensorOf = (info: TensorInfo): Tensor => engine().makeTensorFromTensorInfo(info, backend);
  const tracer: Tracer = {
    parameter: (path, shape) => tensorOf(backend.represent(shape, 'float32', { kind: 'parameter', path })),
    input: (name, shape, dtype) => tensorOf(backend.represent(shape, dtype, { kind: 'input', name })),
    label: (path) => {
      label = path;
    },
  };
  return onBackend(backend, run, () => {
    let outputs: Record<string, number> = {};
    tidy(() => {
      const answers = Object.entries(pass(tracer)).map(([name, { dataId }]) => [
        name,
        backend.find(dataId).id,
      ]);
      outputs = z.record(z.string(), z.number()).parse(Object.fromEntries(answers));
    });
    return { values: backend.values, operations, outputs };
  });
}

const isOwn = (kernel: string): boolean => kernel.startsWith('Winnow');

type Run = (kernel: string, inputs: Readonly<Record<string, TensorInfo>>, attributes: object) => TensorInfo[];

/** tfjs asks one backend at a time for its kernels; without a wait in between nobody sees that it was another. */
function onBackend<Result>(backend: TraceBackend, run: Run, work: () => Result): Result {
  const before: unknown = getBackend(); // null before an engine has been started
  engine().registerBackend(BACKEND, () => backend);
  const kernels = Object.keys(kernelShapes);
  for (const kernelName of kernels) {
    registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        const results = run(kernelName, tensorsIn(inputs), attrs ?? {});
        const [only] = results;
        // The core's own kernels answer with a list, those of tfjs with one tensor.
        return isOwn(kernelName) || only === undefined ? results : only;
      },
    });
  }
  registerKernel({
    kernelName: 'Range',
    backendName: BACKEND,
    kernelFunc: ({ attrs }) => rangeOf(backend, attrs),
  });
  registerKernel({
    kernelName: 'Fill',
    backendName: BACKEND,
    kernelFunc: ({ attrs }) => filledWith(backend, attrs),
  });
  try {
    void engine().setBackend(BACKEND);
    return work();
  } catch (error) {
    const [, kernel] = UNKNOWN.exec(error instanceof Error ? error.message : '') ?? [];
    if (kernel === undefined) throw error;
    throw new UserError(`ONNX: a forward pass runs ${kernel}, for which there is no rule here`);
  } finally {
    if (typeof before === 'string') void engine().setBackend(before);
    removeBackend(BACKEND);
    for (const kernelName of [...kernels, 'Range', 'Fill']) {
      if (getKernel(kernelName, BACKEND) !== undefined) unregisterKernel(kernelName, BACKEND);
    }
  }
}

const tensorsIn = (
  inputs: NamedTensorMap | Record<string, TensorInfo | undefined>,
): Record<string, TensorInfo> =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([name, info]): [string, TensorInfo][] =>
      info === undefined ? [] : [[name, info]],
    ),
  );

const rangeAttributes = z.object({
  start: z.number(),
  stop: z.number(),
  step: z.number(),
  dtype: z.enum(['float32', 'int32']),
});

function rangeOf(backend: TraceBackend, attributes: unknown): TensorInfo {
  const { start, stop, step, dtype } = rangeAttributes.parse(attributes);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const values = Array.from({ length: count }, (_, index) => start + index * step);
  return backend.represent([count], dtype, { kind: 'constant', values });
}

const fillAttributes = z.object({
  shape: z.array(z.int()),
  value: z.number(),
  dtype: z.enum(['float32', 'int32']),
});

function filledWith(backend: TraceBackend, attributes: unknown): TensorInfo {
  const { shape, value, dtype } = fillAttributes.parse(attributes);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return backend.represent(shape, dtype, { kind: 'constant', values: Array<number>(size).fill(value) });
}
