import { int, ints } from '../graph/graph';
import { axesIn } from '../trace/kernel-shapes';
import { type Extent, type ProgramValue, isPerExample, shapeOfOne } from '../trace/program';
import { z } from 'zod';
import { type Lowered, type Lowering, type Rule, isZero, lowered } from './lowering';
import type { GraphBuilder } from '../graph/builder';

const numbers = z.array(z.number());

/** A shape as `Reshape` takes it: −1 where the batch is. */
function targetOf({ shape }: Pick<ProgramValue, 'shape'>, depends: boolean): number[] {
  if (!depends) return shapeOfOne({ shape });
  if (shape.filter(isPerExample).length > 1) throw new Error('a tensor grows with the batch along two axes');
  return shape.map((extent) => (isPerExample(extent) ? -1 : extent));
}

export const reshaped = (builder: GraphBuilder, name: string, shape: readonly number[]): string =>
  builder.node('Reshape', [name, builder.whole('int64', shape)], { computes: 'given' });

export const transposed = (builder: GraphBuilder, name: string, perm: readonly number[]): string =>
  builder.node('Transpose', [name], { attributes: { perm: ints(perm) }, computes: 'given' });

export const reshape: Rule = ({ builder, anyInput, result }) => {
  const x = anyInput('x');
  if (x.kind === 'rows') {
    if (typeof x.place === 'number') return x;
    const { name, depends } = x.place;
    return { ...x, place: lowered(reshaped(builder, name, targetOf(result, depends)), depends) };
  }
  const { name, depends } = x;
  return lowered(reshaped(builder, name, targetOf(result, depends)), depends);
};

export const transpose: Rule = ({ builder, input, operation }) => {
  const { name, depends } = input('x');
  return lowered(transposed(builder, name, numbers.parse(operation.attributes['perm'])), depends);
};

const isSameExtent = (one: Extent = 0, other: Extent = 0): boolean =>
  isPerExample(one) ? isPerExample(other) && one.perExample === other.perExample : one === other;

/** Axes that are taken whole need no word, so the batch may have any size. */
export const slice: Rule = ({ builder, input, value, operation, result }) => {
  const { name, depends } = input('x');
  const begin = numbers.parse(operation.attributes['begin']);
  const to = shapeOfOne(result);
  const cut = to.flatMap((_, axis) =>
    isSameExtent(value('x').shape[axis], result.shape[axis]) && (begin[axis] ?? 0) === 0 ? [] : [axis],
  );
  if (cut.some((axis) => isPerExample(value('x').shape[axis] ?? 0)))
    throw new Error('examples of a batch are cut apart');
  if (cut.length === 0) return lowered(name, depends);
  const starts = cut.map((axis) => begin[axis] ?? 0);
  const ends = cut.map((axis, at) => (starts[at] ?? 0) + (to[axis] ?? 0));
  const own = [starts, ends, cut].map((values) => builder.whole('int64', values));
  return lowered(builder.node('Slice', [name, ...own], { computes: 'given' }), depends);
};

/**
 * Side by side. What does not depend on the input is there once and not for each example, so it cannot stand beside what
 * is: room is made for it, and it is added.
 */
export const concat: Rule = (lowering) => {
  const { builder, operation, value, input, result } = lowering;
  const names = Object.keys(operation.inputs);
  const [axis = 0] = axesIn(operation.attributes, result.shape.length);
  const parts = names.map((name) => {
    const extent = value(name).shape[axis] ?? 0;
    return {
      ...input(name),
      isZero: isZero(value(name)),
      extent: isPerExample(extent) ? extent.perExample : extent,
    };
  });
  const attributes = { axis: int(axis) };
  const joined = (own: readonly string[]): string =>
    own.length === 1 ? (own[0] ?? '') : builder.node('Concat', own, { attributes, computes: 'given' });
  const isMixed = parts.some(({ depends }) => depends) && parts.some(({ depends }) => !depends);
  if (!isMixed)
    return lowered(
      joined(parts.map(({ name }) => name)),
      parts.some(({ depends }) => depends),
    );

  const rank = result.shape.length;
  const total = parts.reduce((sum, { extent }) => sum + extent, 0);
  const offsets: string[] = []; // of zeros the room is enough
  const rooms: { name: string; before: number; after: number }[] = [];
  let place = 0;
  let waiting = 0;
  for (const { name, depends, extent, isZero: isRoom } of parts) {
    const last = rooms.at(-1);
    if (depends) {
      rooms.push({ name, before: waiting, after: 0 });
      waiting = 0;
    } else {
      if (!isRoom)
        offsets.push(padded(builder, name, { axis, rank, before: place, after: total - place - extent }));
      if (last === undefined) waiting += extent;
      else last.after += extent;
    }
    place += extent;
  }
  const base = joined(rooms.map(({ name, ...room }) => padded(builder, name, { axis, rank, ...room })));
  const [first, ...others] = offsets;
  if (first === undefined) return lowered(base, true);
  return sumOf(
    builder,
    base,
    others.reduce((sum, next) => added(builder, sum, next), first),
  );
};

interface Room {
  readonly axis: number;
  readonly rank: number;
  readonly before: number;
  readonly after: number;
}

/** Zeros before and after, along one axis. */
function padded(builder: GraphBuilder, name: string, { axis, rank, before, after }: Room): string {
  if (before === 0 && after === 0) return name;
  const pads = Array.from({ length: 2 * rank }, (_, at) =>
    at === axis ? before : at === rank + axis ? after : 0,
  );
  return builder.node('Pad', [name, builder.whole('int64', pads)], { computes: 'given' });
}

const added = (builder: GraphBuilder, a: string, b: string): string =>
  builder.node('Add', [a, b], { computes: 'given' });

/** base + offset, remembered as a sum. */
export const sumOf = (builder: GraphBuilder, base: string, offset: string): Lowered => ({
  ...lowered(added(builder, base, offset), true),
  sum: { base, offset },
});

/** Rows or columns by their numbers. */
export const gather: Rule = (lowering) => {
  const { builder, operation, value, input, anyInput } = lowering;
  const { name, depends } = input('x');
  const rank = value('x').shape.length;
  const [axis = 0] = axesIn({ axis: operation.attributes['axis'] ?? 0 }, rank);
  const rows = anyInput('indices');
  if (rows.kind === 'rows') return rowOfEach(lowering, name, rows.step, rows.place);
  const taken = builder.node('Gather', [name, rows.name], {
    attributes: { axis: int(axis) },
    computes: 'given',
  });
  return lowered(taken, depends || rows.depends);
};

/** x [B·T, …] → [B, …], of each sequence the state at one place: the sum over all, times 1 there and 0 elsewhere. */
function rowOfEach(
  { builder, value }: Lowering,
  name: string,
  step: number,
  place: number | Lowered,
): Lowered {
  const [extent = 0, ...rest] = value('x').shape;
  const sizes = numbers.safeParse(rest);
  if (!isPerExample(extent) || extent.perExample !== step || !sizes.success)
    throw new Error('rows of a batch are taken of something else than its sequences');
  const sequences = reshaped(builder, name, [-1, step, ...sizes.data]); // [B, T, …]
  if (typeof place === 'number') {
    const own = [[place], [place + 1], [1]].map((values) => builder.whole('int64', values));
    return lowered(
      reshaped(builder, builder.node('Slice', [sequences, ...own], { computes: 'given' }), [
        -1,
        ...sizes.data,
      ]),
      true,
    );
  }
  if (sizes.data.length !== 1) throw new Error('rows of states alone are taken by places that are given');
  const places = reshaped(builder, place.name, [-1, 1]);
  const counted = builder.whole(
    'int32',
    Array.from({ length: step }, (_, at) => at),
    [1, step],
  );
  const isThere = builder.node('Equal', [places, counted], { result: 'bool' }); // [B, T]
  const share = reshaped(builder, builder.cast(isThere, builder.typeOf(name)), [-1, step, 1]);
  const seen = builder.node('Mul', [sequences, share], { computes: 'given' });
  return lowered(reduceSum(builder, seen, [1], false), true);
}

/** Sums are made in float32. */
export function reduceSum(
  builder: GraphBuilder,
  name: string,
  axes: readonly number[],
  keeps: boolean,
): string {
  const attributes = { keepdims: int(keeps ? 1 : 0) };
  return builder.node('ReduceSum', [name, builder.whole('int64', axes)], { attributes, computes: 'wide' });
}
