import { type DataType, broadcast_util, util } from '@tensorflow/tfjs-core';
import { z } from 'zod';

/** A tensor of which only shape and type are known. */
export interface Known {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

type Attributes = Readonly<Record<string, unknown>>;
type ShapeRule = (inputs: readonly Known[], attributes: Attributes) => readonly Known[];

const axes = z.union([z.number(), z.array(z.number())]);
const sizes = z.array(z.number());

/** The axes that a reduction is over, counted from the first. */
export const axesIn = ({ axis }: Attributes, rank: number): number[] =>
  util.parseAxisParam(axes.parse(axis), Array<number>(rank).fill(1));

export const isTransposed = (attributes: Attributes, name: 'transposeA' | 'transposeB'): boolean =>
  z.boolean().default(false).parse(attributes[name]);

/** Sides of a grid of values, and of the one that it is brought to. */
export const resized = z.object({
  height: z.number(),
  width: z.number(),
  toHeight: z.number(),
  toWidth: z.number(),
});

const like: ShapeRule = ([x]) => [need(x)];
const twice: ShapeRule = ([x]) => [need(x), need(x)];
const broadcast = (dtype?: DataType): ShapeRule => {
  return ([a, b]) => {
    const shape = broadcast_util.assertAndGetBroadcastShape([...need(a).shape], [...need(b).shape]);
    return [{ shape, dtype: dtype ?? need(a).dtype }];
  };
};
const reduced = (dtype?: DataType): ShapeRule => {
  return ([x], attributes) => {
    const { shape, dtype: own } = need(x);
    const over = axesIn(attributes, shape.length);
    const keeps = z.boolean().default(false).parse(attributes['keepDims']);
    const left = shape.flatMap((extent, axis) => (over.includes(axis) ? (keeps ? [1] : []) : [extent]));
    return [{ shape: left, dtype: dtype ?? own }];
  };
};
/** [B·T, H·d] of the values → the heads' answers [B·T, H·dv], and probabilities that nobody reads. */
const attended: ShapeRule = ([query, , value]) => [
  { shape: [need(query).shape[0] ?? 0, need(value).shape[1] ?? 0], dtype: 'float32' },
  { shape: [0], dtype: 'float32' },
];

/** Rules for the results of each kernel that a forward pass may run: those of tfjs, and the core's own. */
export const kernelShapes: Readonly<Record<string, ShapeRule>> = {
  Add: broadcast(),
  Sub: broadcast(),
  Multiply: broadcast(),
  RealDiv: broadcast(),
  Equal: broadcast('bool'),
  LessEqual: broadcast('bool'),
  Maximum: broadcast(),
  Minimum: broadcast(),
  Identity: like,
  Exp: like,
  Rsqrt: like,
  Square: like,
  Step: like,
  Relu: like,
  Sigmoid: like,
  Tanh: like,
  Softmax: like,
  Cast: ([x], { dtype }) => [
    { shape: need(x).shape, dtype: z.enum(['float32', 'int32', 'bool']).parse(dtype) },
  ],
  Sum: reduced(),
  Mean: reduced(),
  ArgMax: reduced('int32'),
  BatchMatMul: ([a, b], attributes) => {
    const [left, right] = [need(a).shape, need(b).shape];
    const outer = broadcast_util.assertAndGetBroadcastShape(left.slice(0, -2), right.slice(0, -2));
    const rows = left.at(isTransposed(attributes, 'transposeA') ? -1 : -2) ?? 0;
    const columns = right.at(isTransposed(attributes, 'transposeB') ? -2 : -1) ?? 0;
    return [{ shape: [...outer, rows, columns], dtype: 'float32' }];
  },
  Reshape: ([x], { shape }) => {
    const { shape: from, dtype } = need(x);
    const to = util.inferFromImplicitShape(sizes.parse(shape), util.sizeFromShape([...from]));
    return [{ shape: to, dtype }];
  },
  Transpose: ([x], { perm }) => {
    const { shape, dtype } = need(x);
    return [{ shape: sizes.parse(perm).map((axis) => shape[axis] ?? 0), dtype }];
  },
  Slice: ([x], { begin, size }) => {
    const { shape, dtype } = need(x);
    const starts = sizes.parse(begin);
    const extents = sizes.parse(size);
    return [
      {
        shape: extents.map((extent, axis) =>
          extent < 0 ? (shape[axis] ?? 0) - (starts[axis] ?? 0) : extent,
        ),
        dtype,
      },
    ];
  },
  Concat: (inputs, { axis }) => {
    const { shape, dtype } = need(inputs[0]);
    const [along = 0] = axesIn({ axis }, shape.length);
    const total = inputs.reduce((sum, input) => sum + (input.shape[along] ?? 0), 0);
    return [{ shape: shape.map((extent, at) => (at === along ? total : extent)), dtype }];
  },
  Tile: ([x], { reps }) => {
    const { shape, dtype } = need(x);
    return [{ shape: sizes.parse(reps).map((times, axis) => times * (shape[axis] ?? 1)), dtype }];
  },
  GatherV2: ([x, indices], attributes) => {
    const { shape, dtype } = need(x);
    const [along = 0] = axesIn({ axis: attributes['axis'] ?? 0 }, shape.length);
    return [{ shape: [...shape.slice(0, along), ...need(indices).shape, ...shape.slice(along + 1)], dtype }];
  },
  WinnowLinear: ([x, weight]) => [
    { shape: [need(x).shape[0] ?? 0, need(weight).shape[1] ?? 0], dtype: 'float32' },
  ],
  WinnowResizeBilinear: ([x], attributes) => {
    const { height, width, toHeight, toWidth } = resized.parse(attributes);
    const [rows = 0, K = 0] = need(x).shape;
    return [{ shape: [(rows / (height * width)) * toHeight * toWidth, K], dtype: 'float32' }];
  },
  WinnowMergePlan: ([metric]) => [{ shape: [need(metric).shape[0] ?? 0], dtype: 'int32' }],
  WinnowScatterRows: ([x], { height }) => [
    { shape: [z.number().parse(height), need(x).shape[1] ?? 0], dtype: 'float32' },
  ],
  WinnowLayerNorm: ([x]) => [need(x), need(x), need(x)],
  WinnowGelu: twice,
  WinnowGeluTanh: twice,
  WinnowQuickGelu: twice,
  WinnowAttention: attended,
  WinnowContextAttention: attended,
};

function need(known: Known | undefined): Known {
  if (known === undefined) throw new RangeError('a kernel was run with too few inputs');
  return known;
}
