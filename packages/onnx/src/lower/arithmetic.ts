import { int, ints } from '../graph/graph';
import type { GraphBuilder } from '../graph/builder';
import { axesIn, isTransposed } from '../trace/kernel-shapes';
import { type ProgramValue, isPerExample, shapeOfOne } from '../trace/program';
import { type Lowered, type LoweredValue, type Lowering, type Rule, isZero, lowered } from './lowering';
import { reduceSum, reshaped, sumOf, transposed } from './shapes';

/** An operator of two values that broadcasts. */
export const binary =
  (operator: string): Rule =>
  (lowering) =>
    together(lowering, operator, lowering.input('a'), lowering.input('b'));

/**
 * An operator on two values. Rows that are the same for every example meet the rows of each: those are taken apart for it.
 */
function together(lowering: Lowering, operator: string, a: Lowered, b: Lowered): Lowered {
  const { builder, value, result } = lowering;
  const options = { computes: 'given' } as const;
  const depends = a.depends || b.depends;
  const once = a.depends === b.depends ? undefined : a.depends ? 'b' : 'a';
  const rows = once === undefined ? 1 : rowsOfEach(value(once));
  if (once === undefined || rows === 1)
    return lowered(builder.node(operator, [a.name, b.name], options), depends);
  const [, ...rest] = shapeOfOne(result);
  const apart = ({ name }: Lowered) => reshaped(builder, name, [-1, rows, ...rest]);
  const operands = once === 'b' ? [apart(a), b.name] : [a.name, apart(b)];
  return lowered(reshaped(builder, builder.node(operator, operands, options), [-1, ...rest]), true);
}

/** Rows that a value has for each example: 1 where it grows by the example itself, or not at all. */
function rowsOfEach({ shape: [extent = 0] }: ProgramValue): number {
  return isPerExample(extent) ? extent.perExample : 1;
}

/** Comparisons give truth values; rows of a batch are compared by their places. */
export const comparison = (operator: string): Rule => {
  return ({ builder, anyInput }) => {
    const [a, b] = [anyInput('a'), anyInput('b')];
    if (a.kind === 'rows' && b.kind === 'rows' && a.step === b.step) {
      const [left, right] = [placeOf(builder, a.place), placeOf(builder, b.place)];
      return compared(builder, operator, left, right);
    }
    if (a.kind === 'rows' || b.kind === 'rows')
      throw new Error('rows of a batch are compared with something else than rows of it');
    return compared(builder, operator, a, b);
  };
};

const compared = (builder: GraphBuilder, operator: string, a: Lowered, b: Lowered): Lowered =>
  lowered(builder.node(operator, [a.name, b.name], { result: 'bool' }), a.depends || b.depends);

const placeOf = (builder: GraphBuilder, place: number | Lowered): Lowered =>
  typeof place === 'number' ? lowered(builder.whole('int32', [place]), false) : place;

/** An operator of one value. */
export const unary = (operator: string, computes: 'given' | 'wide' = 'given'): Rule => {
  return ({ builder, input }) => {
    const { name, depends } = input('x');
    return lowered(builder.node(operator, [name], { computes }), depends);
  };
};

export const same: Rule = ({ input }) => input('x');

/** A sum. Zeros only give a value its shape; and what does not depend on the input is added up before it meets what does. */
export const add: Rule = (lowering) => {
  const { builder, value, anyInput, input, result } = lowering;
  const [left, right] = [anyInput('a'), anyInput('b')];
  if (left.kind === 'rows' || right.kind === 'rows') return rowsFrom(left, right);
  for (const [zeros, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    if (isZero(value(zeros)) && keepsShape(value(other), result, input(other))) {
      return withShape(builder, input(other), value(other), result);
    }
  }
  const [a, b] = left.depends ? [left, right] : [right, left];
  const once = value(left.depends ? 'b' : 'a');
  if (a.sum !== undefined && !b.depends && rowsOfEach(once) === 1) {
    const offset = builder.node('Add', [a.sum.offset, b.name], { computes: 'given' });
    return sumOf(builder, a.sum.base, offset);
  }
  return together(lowering, 'Add', left, right);
};

/** Whether a value has as many entries as the result: for one example where it does not depend on the input. */
function keepsShape(value: ProgramValue, result: ProgramValue, { depends }: Lowered): boolean {
  const size = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);
  if (!depends) return size(shapeOfOne(value)) === size(shapeOfOne(result));
  return JSON.stringify(value.shape) === JSON.stringify(result.shape);
}

function withShape(builder: GraphBuilder, value: Lowered, from: ProgramValue, to: ProgramValue): Lowered {
  const [own, wanted] = [shapeOfOne(from), shapeOfOne(to)];
  if (own.join() === wanted.join()) return value;
  return lowered(reshaped(builder, value.name, wanted), value.depends);
}

/** The first row of each sequence, and how far the wanted one is from there. */
function rowsFrom(left: LoweredValue, right: LoweredValue): LoweredValue {
  const [rows, place] = left.kind === 'rows' ? [left, right] : [right, left];
  if (rows.kind === 'rows' && rows.place === 0 && place.kind === 'value' && place.depends)
    return { ...rows, place };
  throw new Error('rows of a batch have no counterpart in ONNX but as a place in each sequence');
}

export const square: Rule = ({ builder, input }) => {
  const { name, depends } = input('x');
  return lowered(builder.node('Mul', [name, name], { computes: 'wide' }), depends);
};

export const reciprocalRoot: Rule = ({ builder, input }) => {
  const { name, depends } = input('x');
  const root = builder.node('Sqrt', [name], { computes: 'wide' });
  return lowered(builder.node('Reciprocal', [root], { computes: 'wide' }), depends);
};

export const softmax: Rule = ({ builder, input }) => {
  const { name, depends } = input('logits');
  const attributes = { axis: int(-1) };
  return lowered(builder.node('Softmax', [name], { attributes, computes: 'wide' }), depends);
};

const reductionOf = ({ operation, value, result }: Lowering) => {
  const axes = axesIn(operation.attributes, value('x').shape.length);
  if (axes.some((axis) => isPerExample(value('x').shape[axis] ?? 0)))
    throw new Error(`${operation.kernel} goes over the batch: an answer would depend on the other examples`);
  return { axes, keeps: result.shape.length === value('x').shape.length };
};

export const sum: Rule = (lowering) => {
  const { name, depends } = lowering.input('x');
  const { axes, keeps } = reductionOf(lowering);
  return lowered(reduceSum(lowering.builder, name, axes, keeps), depends);
};

/** Axes are an attribute before opset 18, and an input from there on. */
export const mean: Rule = (lowering) => {
  const { builder, input } = lowering;
  const { name, depends } = input('x');
  const { axes, keeps } = reductionOf(lowering);
  const keepdims = int(keeps ? 1 : 0);
  const averaged =
    builder.opset < 18
      ? builder.node('ReduceMean', [name], { attributes: { keepdims, axes: ints(axes) }, computes: 'wide' })
      : builder.node('ReduceMean', [name, builder.whole('int64', axes)], {
          attributes: { keepdims },
          computes: 'wide',
        });
  return lowered(averaged, depends);
};

/** The operator answers in int64, whatever it is asked; nothing else is made of that. */
export const greatest: Rule = ({ builder, input, operation, value }) => {
  const { name, depends } = input('x');
  const [axis = 0] = axesIn(operation.attributes, value('x').shape.length);
  const attributes = { axis: int(axis), keepdims: int(0) };
  return lowered(
    builder.cast(builder.node('ArgMax', [name], { attributes, result: 'int64' }), 'int32'),
    depends,
  );
};

export const cast: Rule = ({ builder, input, result }) => {
  const { name, depends } = input('x');
  const real = builder.precision === 'f16' ? 'float16' : 'float32';
  const to = result.dtype === 'float32' ? real : result.dtype === 'bool' ? 'bool' : 'int32';
  return lowered(builder.cast(name, to), depends);
};

const ofMerging = /\.merge\.keys$/;

export const matrixProduct: Rule = ({ builder, input, value, operation }) => {
  const turned = (name: 'a' | 'b', flag: 'transposeA' | 'transposeB'): Lowered => {
    const own = input(name);
    if (!isTransposed(operation.attributes, flag)) return own;
    const rank = value(name).shape.length;
    const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return lowered(transposed(builder, own.name, perm), own.depends);
  };
  const [a, b] = [turned('a', 'transposeA'), turned('b', 'transposeB')];
  const isAlike = [value('a'), value('b')].every(
    ({ shape }) => !isPerExample(shape[0] ?? 0) || shape.length === 2,
  );
  // One matrix for all is repeated by the operator itself.
  const once = a.depends ? value('b') : value('a');
  if (!isAlike && a.depends !== b.depends && once.shape[0] !== 1)
    throw new Error('a product of matrices that stand once for each example, and others that stand once');
  const { label } = operation;
  const named = label === undefined ? {} : { name: label };
  // Small differences of keys tell which tokens are alike.
  const computes = label !== undefined && ofMerging.test(label) ? 'wide' : 'working';
  return lowered(builder.node('MatMul', [a.name, b.name], { ...named, computes }), a.depends || b.depends);
};
