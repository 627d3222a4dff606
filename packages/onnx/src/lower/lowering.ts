import type { GraphBuilder } from '../graph/builder';
import type { Program, ProgramValue } from '../trace/program';
import type { TracedOperation } from '../trace/recording';

/** A value of the program as the graph has it. */
export interface Lowered {
  readonly kind: 'value';
  readonly name: string;
  /** Whether it depends on what the model is given. If not, it has the shape that it has for one example. */
  readonly depends: boolean;
  /** The two that it is the sum of, of which the second does not depend on any input: more may be added to that one. */
  readonly sum?: { readonly base: string; readonly offset: string };
}

/** Whole numbers that count rows of a batch, which stand for a place in each of its sequences. */
export interface LoweredRows {
  readonly kind: 'rows';
  /** Rows of one sequence. */
  readonly step: number;
  /** The place: one number, or a value [B] of them. */
  readonly place: number | Lowered;
}

export type LoweredValue = Lowered | LoweredRows;

/** One operation on its way into the graph. */
export interface Lowering {
  readonly builder: GraphBuilder;
  readonly operation: TracedOperation;
  /** An input in the program. */
  value(name: string): ProgramValue;
  /** An input in the graph. @throws {Error} when it has none of that name, or it stands for rows. */
  input(name: string): Lowered;
  /** The same, rows or not. */
  anyInput(name: string): LoweredValue;
  has(name: string): boolean;
  /** The operation of which an input is a result. */
  maker(name: string): TracedOperation | undefined;
  /** The value in the program that is the operation's first result. */
  readonly result: ProgramValue;
}

/** Adds the nodes of one kernel to the graph, and says which value is its first result. */
export type Rule = (lowering: Lowering) => LoweredValue;

export const lowered = (name: string, depends: boolean): Lowered => ({ kind: 'value', name, depends });

/** Whether a value of the program is nothing but zeros. */
export const isZero = ({ source }: ProgramValue): boolean =>
  (source.kind === 'uniform' && source.value === 0) ||
  (source.kind === 'constant' && source.values.every((value) => value === 0));

/** The lowering of values on demand, each once. */
export function lowerer(
  program: Program,
  builder: GraphBuilder,
  rules: Readonly<Record<string, Rule>>,
  inputs: ReadonlyMap<string, string>,
): (id: number) => LoweredValue {
  const known = new Map<number, LoweredValue>();
  const valueAt = (id: number | undefined): ProgramValue => {
    const value = id === undefined ? undefined : program.values[id];
    if (value === undefined) throw new RangeError(`the program has no value ${String(id)}`);
    return value;
  };
  const lower = (id: number): LoweredValue => {
    const found = known.get(id) ?? made(valueAt(id));
    known.set(id, found);
    return found;
  };
  const made = (value: ProgramValue): LoweredValue => {
    const { source, shape, dtype } = value;
    switch (source.kind) {
      case 'parameter':
        return lowered(builder.parameter(source.path, fixed(shape)), false);
      case 'input':
        return lowered(inputs.get(source.name) ?? source.name, true);
      case 'constant': {
        const own = dtype === 'float32' ? builder.real(source.values, fixed(shape)) : undefined;
        return lowered(own ?? builder.whole('int32', source.values, fixed(shape)), false);
      }
      case 'uniform': {
        const one = ofOne(value);
        const count = one.reduce((product, extent) => product * extent, 1);
        const values = Array<number>(count).fill(source.value);
        return lowered(
          dtype === 'float32' ? builder.real(values, one) : builder.whole('int32', values, one),
          false,
        );
      }
      case 'steps':
        return rowsOf(builder, value, source);
      case 'result': {
        const operation = program.operations[source.operation];
        if (operation === undefined) throw new RangeError('the program lacks an operation');
        if (operation.results[0] !== value.id)
          throw new Error(`${operation.kernel}: only its first result has a counterpart in ONNX`);
        return run(operation, value);
      }
      default:
        return source satisfies never;
    }
  };
  const run = (operation: TracedOperation, result: ProgramValue): LoweredValue => {
    const rule = rules[operation.kernel];
    if (rule === undefined) throw new Error(`no rule says how ONNX expresses ${operation.kernel}`);
    const anyInput = (name: string) => lower(valueAt(operation.inputs[name]).id);
    return rule({
      builder,
      operation,
      result,
      value: (name) => valueAt(operation.inputs[name]),
      anyInput,
      maker: (name) => {
        const { source } = valueAt(operation.inputs[name]);
        return source.kind === 'result' ? program.operations[source.operation] : undefined;
      },
      has: (name) => operation.inputs[name] !== undefined,
      input: (name) => {
        const own = anyInput(name);
        if (own.kind === 'value') return own;
        throw new Error(`${operation.kernel}: rows of a batch have no counterpart in ONNX but to take them`);
      },
    });
  };
  return lower;
}

/** Numbers that count on from sequence to sequence: of each the first one, or all that it has. */
function rowsOf(
  builder: GraphBuilder,
  { shape: [extent = 0] }: ProgramValue,
  { start, step }: { readonly start: number; readonly step: number },
): LoweredRows {
  const each = typeof extent === 'number' ? 1 : extent.perExample;
  if (each === 1) return { kind: 'rows', step, place: start };
  const places = Array.from({ length: each }, (_, at) => start + step * at);
  return { kind: 'rows', step: step * each, place: lowered(builder.whole('int32', places), false) };
}

function fixed(shape: ProgramValue['shape']): number[] {
  return shape.map((extent) => {
    if (typeof extent === 'number') return extent;
    throw new Error('a parameter or a constant grows with the batch');
  });
}

const ofOne = ({ shape }: ProgramValue): number[] =>
  shape.map((extent) => (typeof extent === 'number' ? extent : extent.perExample));
