import * as tf from '@tensorflow/tfjs-core';
import { describeOnTorch, deviation, random } from './torch';

type Case = readonly [name: string, compute: () => tf.Tensor | tf.Tensor[]];

const x = () => random([4, 3]);
const positive = () => tf.add(tf.abs(x()), 0.1);
const inUnit = () => tf.div(x(), 2.1);
const whole = () => tf.cast(tf.mul(random([4, 3], 3), 5), 'int32');
const truths = () => tf.greater(x(), 0);

const unary: readonly Case[] = [
  ...(
    ['abs', 'asinh', 'atan', 'ceil', 'cos', 'cosh', 'elu', 'erf', 'exp', 'expm1', 'floor', 'neg'] as const
  ).map((name): Case => [name, () => tf[name](x())]),
  ...(
    [
      ...['relu', 'relu6', 'round', 'selu', 'sigmoid', 'sign', 'sin', 'sinh', 'softplus', 'square', 'tan'],
      ...['tanh', 'isNaN', 'isInf', 'isFinite', 'leakyRelu', 'step', 'zerosLike', 'onesLike'],
    ] as const
  ).map((name): Case => [name, () => Reflect.get(tf, name)(x()) as tf.Tensor]),
  ...(['log', 'log1p', 'sqrt', 'rsqrt', 'reciprocal'] as const).map((name): Case => [
    name,
    () => tf[name](positive()),
  ]),
  ...(['acos', 'asin', 'atanh'] as const).map((name): Case => [name, () => tf[name](inUnit())]),
  ['acosh', () => tf.acosh(tf.add(positive(), 1))],
  ['log of a negative number', () => tf.log(x())],
  ['step below 0', () => tf.step(x(), 0.3)],
  ['clip', () => tf.clipByValue(x(), -0.5, 0.7)],
  ['prelu', () => tf.prelu(x(), random([3], 2))],
  ['not', () => tf.logicalNot(truths())],
  ['abs of integers', () => tf.abs(whole())],
  ['cast to int32', () => tf.cast(tf.mul(x(), 3), 'int32')],
  ['cast to bool', () => tf.cast(whole(), 'bool')],
  ['cast of bool', () => tf.cast(truths(), 'float32')],
];

const binary: readonly Case[] = [
  ...(
    [
      ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'squaredDifference', 'atan2', 'mod'],
      ...['equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'],
    ] as const
  ).flatMap((name): Case[] => {
    const apply = (a: tf.Tensor, b: tf.Tensor) => Reflect.get(tf, name)(a, b) as tf.Tensor;
    return [
      [name, () => apply(x(), random([4, 3], 2))],
      [`${name} with a row`, () => apply(x(), random([3], 2))],
      [`${name} with a column`, () => apply(random([4, 1], 2), x())],
      [`${name} with a number`, () => apply(x(), tf.scalar(0.7))],
      [`${name} along first axes`, () => apply(random([2, 4, 3], 5), x())],
    ];
  }),
  ['pow', () => tf.pow(positive(), random([4, 3], 2))],
  ['integers', () => tf.add(whole(), tf.mul(whole(), tf.scalar(3, 'int32')))],
  ['division of integers', () => tf.div(whole(), tf.scalar(3, 'int32'))],
  ['floorDiv of integers', () => tf.floorDiv(whole(), tf.scalar(3, 'int32'))],
  ['remainder of integers', () => tf.mod(whole(), tf.scalar(3, 'int32'))],
  ['and', () => tf.logicalAnd(truths(), tf.less(x(), 1))],
  ['or', () => tf.logicalOr(truths(), tf.less(x(), -1))],
  ['addN', () => tf.addN([x(), random([4, 3], 2), random([4, 3], 3)])],
  ['where', () => tf.where(truths(), x(), tf.neg(x()))],
];

const cube = () => random([2, 3, 4], 4);

/** Whole numbers of 0 to 4, most of them many times in a row: as tokens are. */
const tokens = (rows: number, length: number) =>
  tf.cast(tf.floor(tf.mul(tf.abs(random([rows, length], 5)), 2.4)), 'int32');
/** Positions of rows in a table of 500: some several times, some never, one in every third place. */
const rowsOfTable = () =>
  tf.tensor1d(
    Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? 7 : (i * 31) % 401)),
    'int32',
  );

const reductions: readonly Case[] = [
  ...(['sum', 'mean', 'max', 'min', 'prod', 'logSumExp'] as const).flatMap((name): Case[] => [
    [`${name} of all`, () => tf[name](cube())],
    [`${name} over the first axis`, () => tf[name](cube(), 0)],
    [`${name} over the last axis`, () => tf[name](cube(), -1, true)],
    [`${name} over two axes`, () => tf[name](cube(), [0, 2])],
  ]),
  ['sum of integers', () => tf.sum(whole(), 0)],
  ['sum of bools', () => tf.sum(truths(), 1)],
  ['sum over no axis', () => tf.sum(cube(), [])],
  ['mean of integers', () => tf.mean(whole(), 0)],
  ['all', () => tf.all(truths(), 1)],
  ['any', () => tf.any(truths(), [0, 1])],
  ['argMax', () => tf.argMax(cube(), 1)],
  ['argMax of equal numbers', () => tf.argMax(tf.tensor2d([[1, 3, 3, 0]]), 1)],
  ['argMax of whole numbers', () => tf.argMax(tf.cast(tf.equal(tokens(64, 77), 2), 'int32'), 1)],
  ['argMax of nothing but equal numbers', () => tf.argMax(tf.zeros([3, 5000]), 1)],
  ['argMax along the first axis', () => tf.argMax(tokens(5000, 7), 0)],
  ['argMax of long rows', () => tf.argMax(tf.cast(tokens(3, 20_000), 'float32'), 1)],
  ['argMin of equal numbers', () => tf.argMin(tokens(64, 77), 1)],
  ['argMin', () => tf.argMin(cube(), -1)],
  ['softmax', () => tf.softmax(cube())],
  ['logSoftmax', () => tf.logSoftmax(cube())],
  ['cumsum', () => tf.cumsum(cube(), 1)],
  ['exclusive reverse cumsum', () => tf.cumsum(cube(), 2, true, true)],
  ['cumprod', () => tf.cumprod(cube(), 1, true)],
  ['topk', () => Object.values(tf.topk(cube(), 2))],
  ['topk of equal numbers', () => Object.values(tf.topk(tf.tensor1d([1, 2, 2, 1, 2]), 4))],
  ['matMul', () => tf.matMul(random([4, 3]), random([3, 5], 2))],
  ['matMul, transposed', () => tf.matMul(random([3, 4]), random([5, 3], 2), true, true)],
  ['matMul of batches', () => tf.matMul(random([2, 4, 3]), random([2, 5, 3], 2), false, true)],
  ['matMul of batches with one', () => tf.matMul(random([2, 4, 3]), random([1, 3, 5], 2))],
  ['dot', () => tf.dot(random([3]), random([3, 2], 2))],
];

const moving: readonly Case[] = [
  ['transpose', () => tf.transpose(cube(), [2, 0, 1])],
  ['transpose of five axes', () => tf.transpose(random([2, 3, 2, 2, 3]), [2, 0, 3, 1, 4])],
  ['reshape', () => tf.reshape(cube(), [6, -1])],
  ['work on a reshaped tensor', () => tf.sum(tf.reshape(cube(), [6, 4]), 0)],
  ['expandDims', () => tf.expandDims(cube(), -1)],
  ['concat', () => tf.concat([cube(), random([2, 3, 1], 2)], -1)],
  ['concat with an empty tensor', () => tf.concat([tf.zeros([0, 3]), x()], 0)],
  ['stack', () => tf.stack([x(), x()], 1)],
  ['unstack', () => tf.unstack(cube(), 1)],
  ['split', () => tf.split(cube(), [1, 3], 2)],
  ['split in equal parts', () => tf.split(cube(), 3, 1)],
  ['slice', () => tf.slice(cube(), [0, 1, 1], [2, -1, 2])],
  ['empty slice', () => tf.slice(cube(), [0, 1, 1], [2, 0, 2])],
  ['stridedSlice', () => tf.stridedSlice(cube(), [0, 0, 3], [2, 3, 0], [1, 2, -2])],
  ['stridedSlice with masks', () => tf.stridedSlice(cube(), [1, 0], [2, 2], [1, 1], 0, 2, 0, 0, 1)],
  ['tile', () => tf.tile(x(), [2, 3])],
  ['broadcastTo', () => tf.broadcastTo(random([3, 1]), [2, 3, 4])],
  ['reverse', () => tf.reverse(cube(), [0, 2])],
  ['pad', () => tf.pad(x(), [[1, 0], [0, 2]], 7)], // prettier-ignore
  ['gather', () => tf.gather(cube(), tf.tensor2d([[2, 0], [1, 1]], [2, 2], 'int32'), 1)], // prettier-ignore
  ['gather in batches', () => tf.gather(cube(), tf.tensor2d([[2, 0], [1, 1]], [2, 2], 'int32'), 1, 1)], // prettier-ignore
  ['gatherND', () => tf.gatherND(cube(), tf.tensor2d([[1, 2], [0, 1]], [2, 2], 'int32'))], // prettier-ignore
  ['scatterND', () => tf.scatterND(tf.tensor2d([[1], [3], [1]], [3, 1], 'int32'), random([3, 2]), [4, 2])],
  ['gather of rows of a table', () => tf.gather(random([500, 48]), rowsOfTable())],
  ['scatterND over rows', () => tf.scatterND(tf.expandDims(rowsOfTable(), 1), random([3000, 5]), [500, 5])],
  ['unsortedSegmentSum', () => tf.unsortedSegmentSum(x(), tf.tensor1d([2, 0, 2, 5], 'int32'), 3)],
  ['oneHot', () => tf.oneHot(tf.tensor1d([2, 0, 5], 'int32'), 3)],
  ['oneHot with values', () => tf.oneHot(tf.tensor1d([2, 0], 'int32'), 3, 0.9, 0.05)],
  ['fill', () => tf.fill([2, 2], 3.5)],
  ['fill of bool', () => tf.fill([2], 1, 'bool')],
  ['range', () => tf.range(1, 8, 3)],
  ['range downhill', () => tf.range(5, 1, -2, 'int32')],
  ['linspace', () => tf.linspace(-1, 1, 5)],
  ['eye', () => tf.eye(3)],
];

/** On tfjs' own backend in JavaScript, then on torch. */
function onBoth(compute: Case[1]) {
  return ['cpu', 'torch'].map((backend) => {
    tf.setBackend(backend);
    return tf.tidy(() => {
      const computed = compute();
      return (Array.isArray(computed) ? computed : [computed]).map((tensor) => {
        const { shape, dtype } = tensor;
        return { shape, dtype, values: tensor.dataSync() };
      });
    });
  });
}

describeOnTorch('kernels of torch against plain JavaScript', () => {
  const groups = { unary, binary, reductions, moving };
  for (const [group, cases] of Object.entries(groups)) {
    describe(group, () => {
      it.each([...cases])('%s', (_, compute) => {
        const [expected, actual] = onBoth(compute);
        expect(actual?.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
          expected?.map(({ shape, dtype }) => ({ shape, dtype })),
        );
        actual?.forEach(({ values }, i) => {
          expect(deviation(values, expected?.[i]?.values ?? [])).toBeLessThan(3e-6);
        });
      });
    });
  }

  it('finds the gradients of tfjs', () => {
    const gradients = ['cpu', 'torch'].map((backend) => {
      tf.setBackend(backend);
      const loss = tf.grad((a: tf.Tensor) => tf.sum(tf.square(tf.softmax(tf.matMul(tf.tanh(a), a)))));
      return loss(random([3, 3])).dataSync();
    });
    expect(deviation(gradients[1] ?? [], gradients[0] ?? [])).toBeLessThan(1e-5);
  });
});
