import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  grads,
  memory,
  mul,
  sum,
  tensor,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { availableEngines, startEngine } from '@winnow/engine';
import {
  type Activation,
  activate,
  attention,
  attentionLayer,
  feedForwardLayer,
  layerNorm,
  linear,
  randomStream,
  residual,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { randomInput } from './gradient-check';

const matrix = (x: Tensor | undefined) => x as Tensor2D;
const vector = (x: Tensor | undefined) => x as Tensor1D;

interface Case {
  readonly what: string;
  readonly shapes: readonly (readonly number[])[];
  readonly sublayer: (inputs: readonly Tensor[]) => Tensor2D;
  /** The same of smaller operations, as the sub-layer is defined. */
  readonly composition: (inputs: readonly Tensor[]) => Tensor2D;
  /** The input whose gradient is 0 on paper and what rounding leaves in practice. */
  readonly cancelling?: number;
}

interface AttentionCase {
  readonly batch: number;
  readonly tokens: number;
  readonly dim: number;
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly causal: boolean;
  /** Every sequence is padded at its end, each by another number of tokens. */
  readonly padded?: boolean;
  /** With layer scale. */
  readonly scaled?: boolean;
}

/**
 * One of everything; nothing that fits a tile; cut heads; several blocks of rows; more queries than fit at once; texts:
 * of two words, short, around the longest that count as short, CLIP's of 77 tokens whole and cut, many at once; heads whose
 * columns begin anywhere in a panel.
 */
const attentions: AttentionCase[] = [
  { batch: 1, tokens: 1, dim: 1, heads: 1, keyDim: 1, valueDim: 1, causal: false },
  { batch: 3, tokens: 5, dim: 7, heads: 2, keyDim: 3, valueDim: 4, causal: true },
  { batch: 2, tokens: 33, dim: 40, heads: 3, keyDim: 33, valueDim: 20, causal: false },
  { batch: 40, tokens: 17, dim: 96, heads: 3, keyDim: 32, valueDim: 32, causal: false },
  { batch: 1, tokens: 300, dim: 32, heads: 1, keyDim: 16, valueDim: 32, causal: true },
  { batch: 5, tokens: 2, dim: 24, heads: 2, keyDim: 12, valueDim: 12, causal: true },
  { batch: 24, tokens: 16, dim: 64, heads: 2, keyDim: 32, valueDim: 32, causal: true },
  { batch: 3, tokens: 31, dim: 48, heads: 3, keyDim: 16, valueDim: 16, causal: true },
  { batch: 3, tokens: 48, dim: 48, heads: 3, keyDim: 40, valueDim: 40, causal: true },
  { batch: 3, tokens: 49, dim: 48, heads: 3, keyDim: 16, valueDim: 16, causal: true },
  { batch: 4, tokens: 77, dim: 128, heads: 2, keyDim: 64, valueDim: 64, causal: true },
  { batch: 2, tokens: 77, dim: 72, heads: 4, keyDim: 11, valueDim: 11, causal: true },
  { batch: 2, tokens: 65, dim: 40, heads: 6, keyDim: 45, valueDim: 23, causal: false },
  { batch: 3, tokens: 17, dim: 40, heads: 6, keyDim: 9, valueDim: 35, causal: false },
  { batch: 1, tokens: 300, dim: 32, heads: 3, keyDim: 23, valueDim: 45, causal: true },
  { batch: 3, tokens: 5, dim: 7, heads: 2, keyDim: 3, valueDim: 4, causal: false, padded: true },
  { batch: 7, tokens: 31, dim: 48, heads: 3, keyDim: 16, valueDim: 16, causal: true, padded: true },
  { batch: 3, tokens: 77, dim: 72, heads: 4, keyDim: 11, valueDim: 11, causal: false, padded: true },
  { batch: 2, tokens: 300, dim: 32, heads: 1, keyDim: 40, valueDim: 32, causal: false, padded: true },
  { batch: 1, tokens: 1, dim: 1, heads: 1, keyDim: 1, valueDim: 1, causal: false, scaled: true },
  { batch: 3, tokens: 5, dim: 39, heads: 2, keyDim: 3, valueDim: 4, causal: true, scaled: true },
  {
    batch: 5,
    tokens: 65,
    dim: 96,
    heads: 3,
    keyDim: 20,
    valueDim: 32,
    causal: false,
    scaled: true,
    padded: true,
  },
];

/** [B, T]: of sequence b the last 3·b + 1 tokens are hidden, but never the first one; one in its midst is, too. Some count as several. */
function countsOf(batch: number, tokens: number): Tensor2D {
  const counts = Array.from({ length: batch * tokens }, (_, i) => {
    const [sequence, token] = [Math.floor(i / tokens), i % tokens];
    return token === 0 || (token !== 2 && token < tokens - 3 * sequence - 1) ? 1 + (i % 5) : 0;
  });
  return tensor2d(counts, [batch, tokens]);
}

function attentionCase(of: AttentionCase): Case {
  const { batch, tokens, dim, heads, keyDim, valueDim, causal, padded = false, scaled = false } = of;
  const [keys, values] = [heads * keyDim, heads * valueDim];
  const scale = 1 / Math.sqrt(keyDim + 1);
  const layers = (inputs: readonly Tensor[]) => ({
    query: { weight: matrix(inputs[3]), bias: vector(inputs[4]) },
    key: { weight: matrix(inputs[5]), bias: vector(inputs[6]) },
    value: { weight: matrix(inputs[7]), bias: vector(inputs[8]) },
    output: { weight: matrix(inputs[9]), bias: vector(inputs[10]) },
  });
  return {
    what: `attention of ${batch} × ${tokens} × ${dim}, ${heads} heads of ${keyDim}/${valueDim}${causal ? ', causal' : ''}${padded ? ', padded' : ''}${scaled ? ', scaled' : ''}`,
    shapes: [
      ...[[batch * tokens, dim], [dim], [dim]],
      ...[[dim, keys], [keys], [dim, keys], [keys], [dim, values], [values], [values, dim], [dim]],
      ...(scaled ? [[dim]] : []),
    ],
    cancelling: 6, // a key's bias moves all scores of a query alike, which softmax does not see
    sublayer: (inputs) =>
      residual(
        matrix(inputs[0]),
        { weight: vector(inputs[1]), bias: vector(inputs[2]) },
        attentionLayer({ embedDim: dim, heads, headDim: valueDim, queryKeyDim: keyDim, scale }).body(
          layers(inputs),
          { tokens, causal, ...(padded ? { counts: countsOf(batch, tokens) } : {}) },
        ),
        { norm: 'before', normEpsilon: 1e-6 },
        scaled ? vector(inputs[11]) : undefined,
      ),
    composition: (inputs) => {
      const { query, key, value, output } = layers(inputs);
      const a = layerNorm(matrix(inputs[0]), vector(inputs[1]), vector(inputs[2]), 1e-6);
      const [q, k, v] = [query, key, value].map(({ weight, bias }) => linear(a, weight, bias));
      const counted = padded ? { counts: countsOf(batch, tokens) } : {};
      const shape = { batch, tokens, heads, scale, causal, ...counted };
      const attended = attention(matrix(q), matrix(k), matrix(v), shape);
      const added = linear(attended, output.weight, output.bias);
      return add(matrix(inputs[0]), scaled ? mul(added, vector(inputs[11])) : added);
    },
  };
}

const ffns: FfnCase[] = [
  { rows: 1, dim: 1, hidden: 1, activation: 'gelu' },
  { rows: 19, dim: 24, hidden: 50, activation: 'quick-gelu' },
  { rows: 300, dim: 96, hidden: 187, activation: 'gelu' },
  { rows: 700, dim: 33, hidden: 64, activation: 'quick-gelu' },
  { rows: 4, dim: 128, hidden: 512, activation: 'quick-gelu' }, // only the ends of four texts
  { rows: 4 * 77, dim: 128, hidden: 301, activation: 'quick-gelu' },
  { rows: 1, dim: 1, hidden: 1, activation: 'gelu-tanh' },
  { rows: 300, dim: 96, hidden: 187, activation: 'gelu-tanh' },
  { rows: 4 * 77, dim: 33, hidden: 301, activation: 'gelu-tanh', scaled: true },
  { rows: 1, dim: 1, hidden: 1, activation: 'gelu', scaled: true },
  { rows: 300, dim: 97, hidden: 187, activation: 'gelu', scaled: true },
];

interface FfnCase {
  readonly rows: number;
  readonly dim: number;
  readonly hidden: number;
  readonly activation: Activation;
  /** With layer scale. */
  readonly scaled?: boolean;
}

function ffnCase({ rows, dim, hidden, activation, scaled = false }: FfnCase): Case {
  return {
    what: `${activation} ffn of ${rows} × ${dim}, ${hidden} hidden${scaled ? ', scaled' : ''}`,
    shapes: [
      ...[[rows, dim], [dim], [dim], [dim, hidden], [hidden], [hidden, dim], [dim]],
      ...(scaled ? [[dim]] : []),
    ],
    sublayer: (inputs) =>
      residual(
        matrix(inputs[0]),
        { weight: vector(inputs[1]), bias: vector(inputs[2]) },
        feedForwardLayer({ embedDim: dim, hiddenDim: hidden, activation }).body({
          expand: { weight: matrix(inputs[3]), bias: vector(inputs[4]) },
          contract: { weight: matrix(inputs[5]), bias: vector(inputs[6]) },
        }),
        { norm: 'before', normEpsilon: 1e-6 },
        scaled ? vector(inputs[7]) : undefined,
      ),
    composition: (inputs) => {
      const a = layerNorm(matrix(inputs[0]), vector(inputs[1]), vector(inputs[2]), 1e-6);
      const hidden = activate(linear(a, matrix(inputs[3]), vector(inputs[4])), activation);
      const added = linear(hidden, matrix(inputs[5]), vector(inputs[6]));
      return add(matrix(inputs[0]), scaled ? mul(added, vector(inputs[7])) : added);
    },
  };
}

const cases = [...attentions.map(attentionCase), ...ffns.map(ffnCase)];

/** Values of the function and of all its gradients, with respect to a loss that weighs every output differently. */
function evaluated(f: Case['sublayer'], inputs: readonly Tensor[], weights: Tensor): Float32Array[] {
  return tidy(() => {
    const value = f(inputs);
    const gradients = grads((...inputs: Tensor[]) => sum(mul(f(inputs), weights)))([...inputs]);
    return [value, ...gradients].map((each) => each.dataSync<'float32'>().slice());
  });
}

const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((total, value) => total + value * value, 0) / Math.max(1, values.length));

/** Root mean square of the difference, relative to that of what was expected, or to 1. */
function difference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const apart = actual.map((value, i) => value - (expected[i] ?? Number.NaN));
  return rootMeanSquare(apart) / Math.max(1, rootMeanSquare(expected));
}

function describeSublayers(tolerance: number): void {
  for (const { what, shapes, sublayer, composition, cancelling } of cases) {
    it(`${what} is its composition, with its gradients`, () => {
      const random = randomStream(1, what);
      const inputs = shapes.map((shape, index) => {
        const scale = shape.length === 2 && index > 0 ? 1 / Math.sqrt(shape[0] || 1) : 1;
        const { values } = randomInput(random, ...shape);
        return tensor(
          Float32Array.from(values, (value) => value * scale),
          [...shape],
        );
      });
      const [x] = inputs;
      const weights = tensor(Float32Array.from(randomInput(random, ...(x?.shape ?? [])).values), x?.shape);
      const before = memory().numTensors;
      const actual = evaluated(sublayer, inputs, weights);
      expect(memory().numTensors).toBe(before);
      const expected = evaluated(composition, inputs, weights);
      actual.forEach((values, index) => {
        const isSumOfZero = index - 1 === cancelling;
        const allowed = tolerance * (isSumOfZero ? 10 : 1);
        expect(difference(values, expected[index] ?? new Float32Array())).toBeLessThan(allowed);
      });
    });
  }
}

describeOnEveryEngine('sub-layers', () => {
  describeSublayers(1e-5);
});

const torch = (await availableEngines()).find(({ name }) => name === 'torch');
const describeOnTorch = torch?.available === true ? describe : describe.skip;
describeOnTorch('sub-layers on torch in bf16', () => {
  // Two threads, as some kernels take another way when they share their work.
  beforeAll(() => startEngine('torch', { precision: 'bf16', threads: 2 }));
  afterAll(() => startEngine('torch'));
  describeSublayers(0.05);
});
