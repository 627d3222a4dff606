import * as tf from '@tensorflow/tfjs-core';
import * as compositions from './compositions';
import { describeOnAllKernels, deviation, onCpu, random, torchBackend } from './torch';

interface Case {
  readonly kernel: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly attributes?: Readonly<Record<string, number | boolean>>;
  readonly composition: (
    inputs: Readonly<Record<string, tf.Tensor>>,
    attributes: Readonly<Record<string, number | boolean>>,
  ) => tf.Tensor[];
  /** Inputs that must not be negative or that sum to 1 over their last axis. */
  readonly prepare?: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>>;
}

/** One number, some that are no multiple of any vector, and enough for several threads. */
const sizes = [
  [1, 1, 1],
  [5, 7, 3],
  [17, 33, 12],
  [300, 96, 100],
] as const;

const rowwise = sizes.flatMap(([n, k, m]): Case[] => {
  const [x, column, bias] = [[n, k], [n, 1], [k]]; // prettier-ignore
  const activationGradient = { dy: x, x };
  const probabilities = { targets: (t: tf.Tensor) => tf.softmax(t) };
  return [
    { kernel: 'WinnowLinear', shapes: { x, weight: [k, m], bias: [m] }, composition: compositions.linear },
    {
      kernel: 'WinnowLinearGradient',
      shapes: { dy: [n, m], x, weight: [k, m] },
      attributes: { reachesInput: false },
      composition: (inputs) => compositions.linearGradient(inputs).slice(1),
    },
    {
      kernel: 'WinnowLinearGradient',
      shapes: { dy: [n, m], x, weight: [k, m] },
      attributes: { reachesInput: true },
      composition: compositions.linearGradient,
    },
    {
      kernel: 'WinnowColumnProducts',
      shapes: { x, y: [n, m] },
      composition: ({ x: rows = tf.scalar(0), y = rows }) => [tf.matMul(rows, y, true)],
    },
    {
      kernel: 'WinnowColumnProducts',
      shapes: { x: [3, n, k], y: [3, n, m] },
      composition: ({ x: rows = tf.scalar(0), y = rows }) => [tf.matMul(rows, y, true)],
    },
    {
      kernel: 'WinnowLayerNorm',
      shapes: { x, weight: bias, bias },
      attributes: { epsilon: 1e-6 },
      composition: compositions.layerNorm,
    },
    {
      kernel: 'WinnowLayerNormGradient',
      shapes: { dy: x, weight: bias, normalized: x, inverseDeviation: column },
      composition: compositions.layerNormGradient,
    },
    { kernel: 'WinnowGelu', shapes: { x }, composition: compositions.gelu },
    {
      kernel: 'WinnowGeluGradient',
      shapes: { ...activationGradient, cdf: x },
      composition: (inputs) => {
        const cdf = compositions.gelu(inputs)[1];
        return compositions.geluGradient(cdf === undefined ? inputs : { ...inputs, cdf });
      },
    },
    { kernel: 'WinnowGeluTanh', shapes: { x }, composition: compositions.geluTanh },
    {
      kernel: 'WinnowGeluTanhGradient',
      shapes: { ...activationGradient, gate: x },
      composition: compositions.geluTanhGradient,
    },
    { kernel: 'WinnowQuickGelu', shapes: { x }, composition: compositions.quickGelu },
    {
      kernel: 'WinnowQuickGeluGradient',
      shapes: { ...activationGradient, gate: x },
      composition: compositions.quickGeluGradient,
    },
    {
      kernel: 'WinnowSoftmaxCrossEntropy',
      shapes: { logits: x, targets: x },
      composition: compositions.softmaxCrossEntropy,
      prepare: probabilities,
    },
  ];
});

const attentions = [
  { batch: 1, tokens: 1, heads: 1, scale: 1, causal: true, keyDim: 1, valueDim: 1 },
  { batch: 2, tokens: 5, heads: 3, scale: 0.7, causal: false, keyDim: 4, valueDim: 2 },
  { batch: 3, tokens: 17, heads: 2, scale: 0.2, causal: true, keyDim: 8, valueDim: 9 },
  { batch: 16, tokens: 17, heads: 3, scale: 0.17, causal: false, keyDim: 32, valueDim: 32 },
  { batch: 2, tokens: 77, heads: 2, scale: 0.125, causal: true, keyDim: 64, valueDim: 64 },
].flatMap(({ keyDim, valueDim, ...attributes }): Case[] => {
  const { batch, tokens, heads } = attributes;
  const [keys, values] = [keyDim, valueDim].map((dim) => [batch * tokens, heads * dim]);
  if (keys === undefined || values === undefined) return [];
  const shapes = { query: keys, key: keys, value: values };
  return [
    { kernel: 'WinnowAttention', shapes, attributes, composition: compositions.attention },
    {
      kernel: 'WinnowAttentionGradient',
      shapes: { ...shapes, dy: values, probabilities: [batch * heads, tokens, tokens] },
      attributes,
      composition: compositions.attentionGradient,
      prepare: { probabilities: (p) => tf.softmax(p) },
    },
  ];
});

function againstCompositions(cases: readonly Case[], tolerance: number): void {
  for (const { kernel, shapes, attributes = {}, composition, prepare = {} } of cases) {
    it(`${kernel} of ${Object.values(shapes)
      .map((shape) => `[${shape.join(', ')}]`)
      .join(' ')}`, () => {
      tf.tidy(() => {
        const inputs = Object.fromEntries(
          Object.entries(shapes).map(([name, shape], seed) => {
            const values = random(shape, seed);
            return [name, prepare[name]?.(values) ?? values];
          }),
        );
        const expected = inF32(() => composition(inputs, attributes));
        const actual = tf.engine().runKernel<tf.Tensor[]>(kernel, inputs, attributes);
        expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
        actual.forEach((tensor, i) => {
          expect(deviation(tensor.dataSync(), expected[i]?.dataSync() ?? [])).toBeLessThan(tolerance);
        });
      });
    });
  }
}

/** The expected values have all their digits, whatever the precision of the kernels is. */
function inF32<Result>(work: () => Result): Result {
  const backend = torchBackend();
  const { settings } = backend;
  backend.configure({ ...settings, precision: 'f32' });
  try {
    return work();
  } finally {
    backend.configure(settings);
  }
}

describeOnAllKernels('fused kernels against their compositions', () => {
  againstCompositions([...rowwise, ...attentions], 2e-5);
});

/** Operands have 8 binary digits; errors of a product grow with the root of its length, which is at most 300. */
const BF16_TOLERANCE = 0.15;

describeOnAllKernels(
  'fused kernels in bf16 against their compositions in f32',
  () => {
    againstCompositions([...rowwise, ...attentions], BF16_TOLERANCE);

    it('multiplies matrices with rounded operands, and gives f32', () => {
      tf.tidy(() => {
        const [a, b] = [random([40, 64]), random([64, 30], 2)];
        const exact = inF32(() => tf.matMul(a, b)).dataSync();
        const rounded = tf.matMul(a, b);
        expect(rounded.dtype).toBe('float32');
        expect(deviation(rounded.dataSync(), exact)).toBeLessThan(BF16_TOLERANCE);
        expect(deviation(rounded.dataSync(), exact)).toBeGreaterThan(1e-4);
      });
    });

    it('leaves sums and norms as they are', () => {
      tf.tidy(() => {
        const x = random([50, 70]);
        const compute = () => [tf.softmax(x), tf.mean(x, 1), tf.mul(x, x)].map((y) => y.dataSync());
        expect(compute()).toEqual(inF32(compute));
      });
    });

    onCpu('multiplies integers exactly', () => {
      tf.tidy(() => {
        const whole = tf.tensor2d([257, 1, 2, 3], [2, 2], 'int32');
        expect([...tf.matMul(whole, whole).dataSync()]).toEqual([66051, 260, 520, 11]);
      });
    });
  },
  { precision: 'bf16' },
);
