import { aroundUse, withinUse } from '@winnow/core';
import { z } from 'zod';
import { float, int, text } from '../graph/graph';
import { resized } from '../trace/kernel-shapes';
import { type Lowering, type Rule, isZero, lowered } from './lowering';
import { reshaped, transposed } from './shapes';

/** x·W + b. A bias of zeros is none. */
export const linear: Rule = ({ builder, operation, input, value }) => {
  const [x, weight, bias] = [input('x'), input('weight'), input('bias')];
  const { label } = operation;
  const product = builder.node('MatMul', [x.name, weight.name], label === undefined ? {} : { name: label });
  if (isZero(value('bias'))) return lowered(product, x.depends);
  return lowered(builder.node('Add', [product, bias.name]), x.depends);
};

/** One operator, which like the engine takes the values at the border for those beyond it. Runtimes have it in float32. */
export const resizeBilinear: Rule = ({ builder, operation, input, value }) => {
  const { height, width, toHeight, toWidth } = resized.parse(operation.attributes);
  const { name, depends } = input('x');
  const [, K = 0] = value('x').shape;
  const scales = [toHeight / height, toWidth / width];
  if (typeof K !== 'number' || !scales.every(Number.isInteger))
    throw new Error(`a grid of ${height} x ${width} is no whole share of ${toHeight} x ${toWidth}`);
  const batch = depends ? -1 : 1;
  const grid = transposed(builder, reshaped(builder, name, [batch, height, width, K]), [0, 3, 1, 2]); // [B, K, h, w]
  const whole = builder.node('Resize', [grid, '', builder.wide([1, 1, ...scales], [4])], {
    attributes: { mode: text('linear'), coordinate_transformation_mode: text('half_pixel') },
    computes: 'wide',
    ...(operation.label === undefined ? {} : { name: operation.label }),
  }); // [B, K, H, W]
  const rows = depends ? -1 : toHeight * toWidth;
  return lowered(reshaped(builder, transposed(builder, whole, [0, 2, 3, 1]), [rows, K]), depends);
};

export const layerNorm: Rule = ({ builder, operation, input }) => {
  const epsilon = z.number().parse(operation.attributes['epsilon']);
  const [x, weight, bias] = [input('x'), input('weight'), input('bias')];
  const attributes = { axis: int(-1), epsilon: float(epsilon) };
  return lowered(
    builder.node('LayerNormalization', [x.name, weight.name, bias.name], { attributes }),
    x.depends,
  );
};

/** An operator from opset 20 on. */
const GELU_OPSET = 20;

export const gelu: Rule = ({ builder, input }) => {
  const { name, depends } = input('x');
  if (builder.opset >= GELU_OPSET) return lowered(builder.node('Gelu', [name]), depends);
  const bent = builder.node('Erf', [builder.node('Mul', [name, Math.SQRT1_2])]);
  const share = builder.node('Mul', [builder.node('Add', [bent, 1]), 0.5]);
  return lowered(builder.node('Mul', [name, share]), depends);
};

const CUBE = 0.044715;

export const geluTanh: Rule = ({ builder, input }) => {
  const { name, depends } = input('x');
  if (builder.opset >= GELU_OPSET) {
    return lowered(builder.node('Gelu', [name], { attributes: { approximate: text('tanh') } }), depends);
  }
  // ½(1 + tanh u) = σ(2u)
  const slope = 2 * Math.sqrt(2 / Math.PI);
  const squared = builder.node('Mul', [name, name]);
  const twice = builder.node('Mul', [
    name,
    builder.node('Add', [builder.node('Mul', [squared, CUBE * slope]), slope]),
  ]);
  return lowered(builder.node('Mul', [name, builder.node('Sigmoid', [twice])]), depends);
};

export const quickGelu: Rule = ({ builder, input }) => {
  const { name, depends } = input('x');
  const gate = builder.node('Sigmoid', [builder.node('Mul', [name, 1.702])]);
  return lowered(builder.node('Mul', [name, gate]), depends);
};

const attentionAttributes = z.object({
  tokens: z.number(),
  context: z.number().optional(),
  heads: z.number(),
  scale: z.number(),
  causal: z.boolean(),
});

/** Far below any score, as in the engine. */
const NEVER = -1e9;

/** softmax(scale·Q·Kᵀ)·V per head; the scale meets the smaller of the two, and probabilities are made in float32. */
export const attention: Rule = (lowering) => {
  const { builder, operation, input } = lowering;
  const { tokens, context = tokens, heads, scale, causal } = attentionAttributes.parse(operation.attributes);
  const name = nameOf(lowering);
  const headsOf = (name: 'query' | 'key' | 'value', length: number, perm: readonly number[]): string => {
    const { depends } = input(name);
    const width = widthOf(lowering, name) / heads;
    const perHead = reshaped(builder, input(name).name, [depends ? -1 : 1, length, heads, width]);
    return transposed(builder, perHead, perm);
  };
  const query = builder.node('Mul', [headsOf('query', tokens, [0, 2, 1, 3]), scale]); // [B, H, T, dk]
  const key = headsOf('key', context, [0, 2, 3, 1]); // [B, H, dk, T′]
  const value = headsOf('value', context, [0, 2, 1, 3]); // [B, H, T′, dv]
  const scores = builder.node('MatMul', [query, key], { name: withinUse(name, 'scores') });
  const biases = [
    ...(causal ? [causalBias(lowering, tokens, context)] : []),
    ...(lowering.has('counts') ? [logarithms(lowering, context)] : []),
  ];
  const masked = biases.reduce((sum, bias) => builder.node('Add', [sum, bias], { computes: 'wide' }), scores);
  const probabilities = builder.node('Softmax', [masked], {
    attributes: { axis: int(-1) },
    computes: 'wide',
  });
  const heard = builder.node('MatMul', [probabilities, value], { name: withinUse(name, 'heard') }); // [B, H, T, dv]
  const depends = input('query').depends || input('key').depends;
  const rows = [depends ? -1 : tokens, widthOf(lowering, 'value')];
  return lowered(reshaped(builder, transposed(builder, heard, [0, 2, 1, 3]), rows), depends);
};

/** An attention has a name of its own, or that of the place where its queries are made. */
const nameOf = ({ operation: { label }, maker }: Lowering): string =>
  label ?? aroundUse(maker('query')?.label ?? 'attention.query');

function widthOf({ value }: Lowering, name: string): number {
  const width = value(name).shape[1];
  if (typeof width === 'number') return width;
  throw new RangeError(`attention: ${name} has no fixed width`);
}

function causalBias({ builder }: Lowering, tokens: number, context: number): string {
  const values = Array.from({ length: tokens * context }, (_, at) =>
    at % context > Math.floor(at / context) ? NEVER : 0,
  );
  return builder.wide(values, [tokens, context]);
}

/** As how many tokens each is looked at, [B, T′] → their logarithms, which are added to the scores of every head. */
function logarithms({ builder, input }: Lowering, context: number): string {
  const counts = input('counts').name;
  const gone = builder.node('Max', [builder.node('Sub', [1, counts], { computes: 'wide' }), 0], {
    computes: 'wide',
  });
  const seen = builder.node('Log', [builder.node('Max', [counts, 1], { computes: 'wide' })], {
    computes: 'wide',
  });
  const bias = builder.node('Add', [seen, builder.node('Mul', [gone, NEVER], { computes: 'wide' })], {
    computes: 'wide',
  });
  return reshaped(builder, bias, [-1, 1, 1, context]);
}
