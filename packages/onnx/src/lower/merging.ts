import { z } from 'zod';
import { int, ints } from '../graph/graph';
import type { GraphBuilder, Operand } from '../graph/builder';
import { type Lowering, type Rule, lowered } from './lowering';
import { reduceSum, reshaped, transposed } from './shapes';

const planAttributes = z.object({ tokens: z.number(), leading: z.number(), removed: z.number() });

/** The two sets of a sequence's tokens, and how many of both are left. */
function setsOf(attributes: unknown) {
  const { tokens, leading, removed } = planAttributes.parse(attributes);
  return {
    ...{ tokens, removed, left: tokens - removed },
    ...{ first: Math.ceil(tokens / 2), second: Math.floor(tokens / 2) },
    ...{ leadingFirst: Math.ceil(leading / 2), leadingSecond: Math.floor(leading / 2) },
  };
}
type Sets = ReturnType<typeof setsOf>;

/** Below every cosine, as in the engine. */
const NEVER = -4;

/**
 * The plan of a merging as the engine has it (ToMe), for each sequence by itself: [B, T′, A] of 1 where a token of the first set goes to
 * a place and 0 elsewhere. Those of the second set have the same places in every sequence. Whatever the graph's type is, it is made in float32.
 */
export const mergePlan: Rule = ({ builder, operation, input, value }) => {
  const sets = setsOf(operation.attributes);
  const { tokens, removed, left, first, second, leadingFirst, leadingSecond } = sets;
  const [, width = 0] = value('metric').shape;
  const keys = input('metric').name;
  const node = (operator: string, operands: readonly Operand[], attributes = {}): string =>
    builder.node(operator, operands, { attributes, computes: 'wide' });
  const length = node('Sqrt', [reduceSum(builder, node('Mul', [keys, keys]), [1], true)]);
  const unit = node('Div', [keys, node('Max', [length, 1e-12])]);
  const sequences = reshaped(builder, unit, [-1, tokens, Number(width)]);
  const one = everySecond(builder, sequences, 0, tokens); // [B, A, d]
  const other = everySecond(builder, sequences, 1, tokens); // [B, B′, d]
  const { label } = operation;
  const cosines = builder.node('MatMul', [one, transposed(builder, other, [0, 2, 1])], {
    computes: 'wide',
    ...(label === undefined ? {} : { name: label }),
  });
  const closed = steps(second, (j) => (j < leadingSecond ? NEVER : 0));
  const alike = node('Add', [cosines, builder.wide(closed, [second])]); // [B, A, B′]
  const target = builder.cast(
    builder.node('ArgMax', [alike], { attributes: { axis: int(2), keepdims: int(0) }, result: 'int64' }),
    'float32',
  ); // [B, A]
  const fixed = builder.wide(
    steps(first, (i) => (i < leadingFirst ? 4 * NEVER : 0)),
    [first],
  );
  const best = node('Add', [greatestOf(builder, alike), fixed]);
  const isMerged = builder.node('Less', [ranks(builder, best, first), removed], {
    computes: 'wide',
    result: 'bool',
  }); // [B, A]
  const stays = node('Sub', [1, builder.cast(isMerged, 'float32')]);
  const before = builder.node('CumSum', [stays, builder.whole('int32', [1], [])], {
    attributes: { exclusive: int(1) },
    computes: 'wide',
  });
  const shift = builder.wide(
    steps(first, (i) => (i < leadingFirst ? i : leadingSecond)),
    [first],
  );
  const placed = node('Where', [
    isMerged,
    node('Add', [target, first - removed]),
    node('Add', [before, shift]),
  ]);
  const places = builder.wide(
    steps(left, (place) => place),
    [left, 1],
  );
  const isThere = builder.node('Equal', [reshaped(builder, placed, [-1, 1, first]), places], {
    computes: 'wide',
    result: 'bool',
  }); // [B, T′, A]
  return lowered(builder.cast(isThere, 'float32'), input('metric').depends);
};

/** Rows [B·T, W] → [B·T′, W], the sum of those that go to each place: the first set by a product, the second by its places. */
export const scatterRows: Rule = (lowering) => {
  const { builder, operation, input, maker } = lowering;
  const plan = maker('rows');
  if (plan?.kernel !== 'WinnowMergePlan')
    throw new Error('rows are sent to places that no merging of tokens has chosen');
  const sets = setsOf(plan.attributes);
  const width = widthOf(lowering);
  const { name, depends } = input('x');
  const sequences = reshaped(builder, name, [depends ? -1 : 1, sets.tokens, width]);
  const { label } = operation;
  const sums = builder.node('MatMul', [input('rows').name, everySecond(builder, sequences, 0, sets.tokens)], {
    ...(label === undefined ? {} : { name: label }),
  }); // [B, T′, W]
  const kept = atPlaces(builder, everySecond(builder, sequences, 1, sets.tokens), sets);
  const all = builder.node('Add', [sums, kept]);
  return lowered(reshaped(builder, all, [-1, width]), input('rows').depends);
};

function widthOf({ value }: Lowering): number {
  const [, width] = value('x').shape;
  if (typeof width === 'number') return width;
  throw new RangeError('rows of no fixed width are merged');
}

const steps = (count: number, at: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => at(index));

/** Every second row of each sequence [B, T, W], from the first or the second on. */
function everySecond(builder: GraphBuilder, sequences: string, from: 0 | 1, tokens: number): string {
  const own = [[from], [tokens], [1], [2]].map((numbers) => builder.whole('int64', numbers));
  return builder.node('Slice', [sequences, ...own], { computes: 'given' });
}

/** Rows of the second set [B, B′, W] at their places among T′, with zeros between them. */
function atPlaces(builder: GraphBuilder, rows: string, sets: Sets): string {
  const { first, second, left, removed, leadingSecond } = sets;
  const longer = builder.node('Pad', [rows, builder.whole('int64', [0, 0, 0, 0, 1, 0])], {
    computes: 'given',
  });
  const places = Array<number>(left).fill(second); // the row of zeros
  for (let j = 0; j < second; j++) places[j < leadingSecond ? 2 * j + 1 : first - removed + j] = j;
  return builder.node('Gather', [longer, builder.whole('int32', places)], {
    attributes: { axis: int(1) },
    computes: 'given',
  });
}

/** Axes are an attribute before opset 18, and an input from there on. */
const greatestOf = (builder: GraphBuilder, name: string): string =>
  builder.opset < 18
    ? builder.node('ReduceMax', [name], {
        attributes: { keepdims: int(0), axes: ints([2]) },
        computes: 'wide',
      })
    : builder.node('ReduceMax', [name, builder.whole('int64', [2])], {
        attributes: { keepdims: int(0) },
        computes: 'wide',
      });

/** [B, N] → how many of each row's numbers are greater, or equal and before it, [B, N]. */
function ranks(builder: GraphBuilder, name: string, count: number): string {
  const [own, others] = [
    [-1, count, 1],
    [-1, 1, count],
  ].map((shape) => reshaped(builder, name, shape));
  if (own === undefined || others === undefined) throw new RangeError('expected two shapes');
  const compared = (operator: string): string =>
    builder.cast(builder.node(operator, [others, own], { computes: 'wide', result: 'bool' }), 'float32');
  const earlier = steps(count * count, (at) => Number(at % count < Math.floor(at / count)));
  const isFirst = builder.node('Mul', [compared('Equal'), builder.wide(earlier, [count, count])], {
    computes: 'wide',
  });
  const isAhead = builder.node('Add', [compared('Greater'), isFirst], { computes: 'wide' });
  return reduceSum(builder, isAhead, [2], false);
}
