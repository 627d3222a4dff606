import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  grad,
  memory,
  mul,
  sum,
  tensor,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  attention,
  gatherRows,
  gelu,
  layerNorm,
  linear,
  geluTanh,
  quickGelu,
  randomStream,
  scaleUnits,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Input, deviations, randomInput } from './gradient-check';
import {
  plainAttention,
  plainCrossEntropy,
  plainGatherRows,
  plainGelu,
  plainGeluTanh,
  plainLayerNorm,
  plainLinear,
  plainQuickGelu,
  plainSigmoidCrossEntropy,
  plainScaleUnits,
} from './plain';

const matrix = (x: Tensor | undefined) => x as Tensor2D;
const vector = (x: Tensor | undefined) => x as Tensor1D;
const random = randomStream(1, 'operations');

function scaled(
  parameter: Tensor | undefined,
  scale: Tensor | undefined,
  axis: 0 | 1,
  copies: number,
): Tensor {
  const [result] = scaleUnits([
    { parameter: parameter as Tensor, scale: vector(scale), along: { axis, copies } },
  ]);
  return result as Tensor;
}

interface Case {
  readonly what: string;
  readonly operation: (...inputs: Tensor[]) => Tensor;
  readonly plain: (...inputs: (readonly number[])[]) => number[];
  readonly inputs: readonly Input[];
}

const attentions = [
  { batch: 2, tokens: 4, heads: 3, keyDim: 2, valueDim: 2, scale: 0.7, causal: false },
  { batch: 2, tokens: 4, heads: 2, keyDim: 2, valueDim: 3, scale: 0.7, causal: true },
  { batch: 1, tokens: 1, heads: 1, keyDim: 1, valueDim: 1, scale: 1, causal: true },
].map((shape): Case => {
  const { batch, tokens, heads, keyDim, valueDim } = shape;
  const input = (dim: number) => randomInput(random, batch * tokens, heads * dim);
  return {
    what: `attention of ${tokens} tokens and ${heads} heads${shape.causal ? ', causal' : ''}`,
    operation: (query, key, value) => attention(matrix(query), matrix(key), matrix(value), shape),
    plain: (query = [], key = [], value = []) => plainAttention(shape)(query, key, value),
    inputs: [input(keyDim), input(keyDim), input(valueDim)],
  };
});

/** Rows that are taken several times, one that is taken never, and more rows than the table has. */
const gathered = [[2], [1, 0, 1, 1], [3, 0, 3, 3, 1, 0, 3]].map((rows): Case => ({
  what: `gatherRows ${rows.join(', ')}`,
  operation: (table) => gatherRows(matrix(table), tensor1d(rows, 'int32')),
  plain: (table = []) => plainGatherRows(3, rows)(table),
  inputs: [randomInput(random, 4, 3)],
}));

const targets = [0.8, 0.1, 0.1, 0, 0, 1];
const cases: Case[] = [
  ...attentions,
  ...gathered,
  {
    what: 'linear',
    operation: (x, weight, bias) => linear(matrix(x), matrix(weight), vector(bias)),
    plain: (x = [], weight = [], bias = []) => plainLinear(4, 3, 5)(x, weight, bias),
    inputs: [randomInput(random, 4, 3), randomInput(random, 3, 5), randomInput(random, 5)],
  },
  {
    what: 'layerNorm',
    operation: (x, weight, bias) => layerNorm(matrix(x), vector(weight), vector(bias), 1e-3),
    plain: (x = [], weight = [], bias = []) => plainLayerNorm(3, 6, 1e-3)(x, weight, bias),
    inputs: [randomInput(random, 3, 6), randomInput(random, 6), randomInput(random, 6)],
  },
  {
    what: 'gelu',
    operation: (x) => gelu(matrix(x)),
    plain: (x = []) => plainGelu(x),
    inputs: [{ shape: [2, 5], values: [-4, -1.5, -0.3, 0, 0.2, 0.75, 1.3, 2, 3.1, 4] }],
  },
  {
    what: 'geluTanh',
    operation: (x) => geluTanh(matrix(x)),
    plain: (x = []) => plainGeluTanh(x),
    inputs: [{ shape: [2, 5], values: [-4, -1.5, -0.3, 0, 0.2, 0.75, 1.3, 2, 3.1, 4] }],
  },
  {
    what: 'quickGelu',
    operation: (x) => quickGelu(matrix(x)),
    plain: (x = []) => plainQuickGelu(x),
    inputs: [{ shape: [2, 5], values: [-4, -1.5, -0.3, 0, 0.2, 0.75, 1.3, 2, 3.1, 4] }],
  },
  ...[
    { shape: [6], axis: 0, copies: 2, units: 3, width: 1 } as const,
    { shape: [4, 6], axis: 1, copies: 2, units: 3, width: 1 } as const,
    { shape: [6, 5], axis: 0, copies: 2, units: 3, width: 5 } as const,
    { shape: [40, 7], axis: 1, copies: 1, units: 7, width: 1 } as const,
  ].map(({ shape, axis, copies, units, width }): Case => ({
    what: `scaleUnits along axis ${axis} of [${shape.join(', ')}]`,
    operation: (parameter, scale) => scaled(parameter, scale, axis, copies),
    plain: (parameter = [], scale = []) => plainScaleUnits(units, width)(parameter, scale),
    inputs: [randomInput(random, ...shape), randomInput(random, units)],
  })),
  {
    what: 'softmaxCrossEntropy',
    operation: (logits) => softmaxCrossEntropy(matrix(logits), tensor2d(targets, [2, 3])),
    plain: (logits = []) => plainCrossEntropy(3, targets)(logits),
    inputs: [randomInput(random, 2, 3)],
  },
  {
    what: 'sigmoidCrossEntropy',
    operation: (logits) => sigmoidCrossEntropy(matrix(logits), tensor2d(targets, [2, 3])),
    plain: (logits = []) => plainSigmoidCrossEntropy(3, targets)(logits),
    inputs: [randomInput(random, 2, 3)],
  },
];

describeOnEveryEngine('fused operations', () => {
  it.each(cases)('$what has the right value and gradient', ({ operation, plain, inputs }) => {
    const before = memory().numTensors;
    const { forward, gradient } = deviations(operation, plain, inputs, randomStream(2, 'weights'));
    expect(forward).toBeLessThan(2e-6);
    expect(gradient).toBeLessThan(5e-6);
    expect(memory().numTensors).toBe(before);
  });

  it('map zero to zero where a unit is cut before them', () => {
    const zeros = tensor2d([0, 0], [1, 2]);
    expect([...gelu(zeros).dataSync()]).toEqual([0, 0]);
    expect([...geluTanh(zeros).dataSync()]).toEqual([0, 0]);
    expect([...quickGelu(zeros).dataSync()]).toEqual([0, 0]);
  });

  it('add up the gradient of a row over all its uses', () => {
    tidy(() => {
      const rows = Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? 7 : i % 11));
      const inputs = [randomInput(random, 13, 4), randomInput(random, rows.length, 4)];
      const [table, weights] = inputs.map(({ values, shape }) => tensor([...values], [...shape]));
      const loss = (table: Tensor) =>
        sum(mul(gatherRows(matrix(table), tensor1d(rows, 'int32')), weights ?? table));
      const gradient = grad(loss)(matrix(table)).dataSync();
      const expected = new Float64Array(13 * 4);
      rows.forEach((row, i) => {
        for (let column = 0; column < 4; column++) {
          const entry = row * 4 + column;
          expected[entry] = (expected[entry] ?? 0) + (inputs[1]?.values[i * 4 + column] ?? Number.NaN);
        }
      });
      expect([...gradient.slice(11 * 4)]).toEqual(new Array(2 * 4).fill(0));
      expected.forEach((value, i) => {
        expect(Math.abs(value - (gradient[i] ?? Number.NaN))).toBeLessThan(1e-3);
      });
    });
  });

  it('stay finite for large scores and logits', () => {
    const large = tensor2d([300, -300, 300, 300], [2, 2]);
    const shape = { batch: 1, tokens: 2, heads: 1, scale: 1, causal: true };
    expect([...attention(large, large, large, shape).dataSync()].every(Number.isFinite)).toBe(true);
    expect(softmaxCrossEntropy(large, tensor2d([0, 1, 1, 0], [2, 2])).dataSync()[0]).toBeCloseTo(
      (600 + Math.LN2) / 2,
      3,
    );
  });
});
