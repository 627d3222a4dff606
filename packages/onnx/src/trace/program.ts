import type { DataType } from '@tensorflow/tfjs-core';
import type { Recording, TracedOperation, TracedValue } from './recording';
import { type TracedPass, trace } from './trace';

/** An extent of a tensor: a number, or so many of it for each example of the batch. */
export type Extent = number | { readonly perExample: number };

/** Where a value of a program comes from. Constants that grow with the batch are uniform, or count in steps. */
export type ProgramSource =
  | Exclude<TracedValue['source'], { kind: 'constant' }>
  | { readonly kind: 'constant'; readonly values: readonly number[] }
  | { readonly kind: 'uniform'; readonly value: number }
  | { readonly kind: 'steps'; readonly start: number; readonly step: number };

export interface ProgramValue {
  readonly id: number;
  readonly shape: readonly Extent[];
  readonly dtype: DataType;
  readonly source: ProgramSource;
}

/** A forward pass for a batch of any size. */
export interface Program {
  readonly values: readonly ProgramValue[];
  readonly operations: readonly TracedOperation[];
  readonly outputs: Readonly<Record<string, number>>;
}

export const isPerExample = (extent: Extent): extent is { readonly perExample: number } =>
  typeof extent !== 'number';

/** The shape at a batch of one. */
export const shapeOfOne = ({ shape }: Pick<ProgramValue, 'shape'>): number[] =>
  shape.map((extent) => (isPerExample(extent) ? extent.perExample : extent));

/**
 * Traces a forward pass at two sizes of the batch, 2 and 3: an extent that differs between them is one that grows with it.
 * @throws {Error} when the pass does other things at another size, or a tensor grows in another way than by the example.
 */
export function programOf(passAt: (batch: number) => TracedPass): Program {
  return programFrom(trace(passAt(2)), trace(passAt(3)));
}

function programFrom(two: Recording, three: Recording): Program {
  const differs = two.operations.findIndex(({ kernel }, at) => three.operations[at]?.kernel !== kernel);
  if (differs >= 0 || two.values.length !== three.values.length)
    throw new Error('a forward pass runs other kernels when the batch has another size');
  return {
    values: two.values.map((value, at) => valueFrom(value, three.values[at] ?? value)),
    operations: two.operations,
    outputs: two.outputs,
  };
}

function valueFrom(two: TracedValue, three: TracedValue): ProgramValue {
  const shape = two.shape.map((extent, axis) => extentFrom(extent, three.shape[axis] ?? 0));
  return { id: two.id, dtype: two.dtype, shape, source: sourceFrom(two, three, shape.some(isPerExample)) };
}

function extentFrom(atTwo: number, atThree: number): Extent {
  if (atTwo === atThree) return atTwo;
  const perExample = atThree - atTwo;
  if (atTwo !== 2 * perExample)
    throw new Error(`a tensor has ${atTwo} entries for two examples and ${atThree} for three`);
  return { perExample };
}

function sourceFrom(two: TracedValue, three: TracedValue, grows: boolean): ProgramSource {
  const { source } = two;
  if (source.kind !== 'constant') return source;
  const values = three.source.kind === 'constant' ? three.source.values : [];
  const [start = 0, next = start] = values;
  if (!grows) {
    if (source.values.some((value, at) => value !== values[at]))
      throw new Error('a constant of a forward pass depends on the size of the batch');
    return source;
  }
  if (values.every((value) => value === start)) return { kind: 'uniform', value: start };
  const step = next - start;
  if (two.shape.length === 1 && values.every((value, at) => value === start + at * step))
    return { kind: 'steps', start, step };
  throw new Error('a constant of a forward pass depends on the size of the batch');
}
