import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '../src/index';

/** A tensor's numbers by coordinates: the reference for everything below is plain arithmetic on these. */
function entry(x: tf.Tensor): (...at: number[]) => number {
  const numbers = x.dataSync();
  const strides = tf.util.computeStrides([...x.shape, 1]);
  return (...at) =>
    numbers[at.reduce((sum, index, axis) => sum + index * (strides[axis] ?? 0), 0)] ?? Number.NaN;
}

function filled(shape: number[], value: (...at: number[]) => number): number[] {
  const size = tf.util.sizeFromShape(shape);
  const strides = tf.util.computeStrides([...shape, 1]);
  return Array.from({ length: size }, (_, flat) =>
    value(...shape.map((extent, axis) => Math.floor(flat / (strides[axis] ?? 1)) % extent)),
  );
}

function expectNumbers(actual: tf.Tensor, shape: number[], expected: readonly number[], tolerance = 0): void {
  expect(actual.shape).toEqual(shape);
  const numbers = actual.dataSync();
  expect(numbers).toHaveLength(expected.length);
  let furthest = 0;
  expected.forEach(
    (each, index) => (furthest = Math.max(furthest, Math.abs((numbers[index] ?? Number.NaN) - each))),
  );
  expect(furthest).toBeLessThanOrEqual(tolerance);
}

const random = (shape: number[], seed = 1) => tf.randomNormal(shape, 0, 1, 'float32', seed);

beforeAll(async () => {
  await startEngine('wasm');
});

let tensorsBefore = 0;
beforeEach(() => {
  tf.engine().startScope();
  tensorsBefore = tf.memory().numDataBuffers;
});
afterEach(() => {
  tf.engine().endScope();
  expect(tf.memory().numDataBuffers).toBe(tensorsBefore);
});

describe('matrix product', () => {
  const cases: [batchA: number[], batchB: number[], m: number, k: number, n: number][] = [
    [[], [], 5, 7, 9],
    [[], [], 1, 3, 2],
    [[3], [3], 17, 32, 17],
    [[3], [3], 4, 1, 8],
    [[3], [3], 2, 5, 3],
    [[2, 3], [2, 3], 17, 17, 32],
    [[4], [1], 6, 5, 10],
    [[1], [4], 6, 5, 10],
    [[4], [], 6, 5, 10],
  ];
  for (const [batchA, batchB, m, k, n] of cases) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const name = `[${[...batchA, m, k].join()}]${transposeA ? 'ᵀ' : ''} · [${[...batchB, k, n].join()}]${transposeB ? 'ᵀ' : ''}`;
        it(name, () => {
          const a = random([...batchA, ...(transposeA ? [k, m] : [m, k])], 1);
          const b = random([...batchB, ...(transposeB ? [n, k] : [k, n])], 2);
          const [atA, atB] = [entry(a), entry(b)];
          const shape = [...(batchA.length > 0 && !batchA.includes(1) ? batchA : batchB), m, n];
          const ofBatch = (batch: number[], own: number[]) =>
            own.includes(1) ? [0] : batch.slice(0, own.length);
          const expected = filled(shape, (...at) => {
            const [batch, [i = 0, j = 0]] = [at.slice(0, -2), at.slice(-2)];
            let sum = 0;
            for (let p = 0; p < k; p++) {
              sum +=
                atA(...ofBatch(batch, batchA), ...(transposeA ? [p, i] : [i, p])) *
                atB(...ofBatch(batch, batchB), ...(transposeB ? [j, p] : [p, j]));
            }
            return sum;
          });
          expectNumbers(tf.matMul(a, b, transposeA, transposeB), shape, expected, 2e-5);
        });
      }
    }
  }

  it('does not confuse a right operand with the same numbers in another shape', () => {
    const b = random([6, 4]);
    tf.matMul(tf.ones([3, 6]), b);
    const at = entry(tf.reshape(b, [4, 6]));
    const expected = filled([3, 6], (_, j) => at(0, j) + at(1, j) + at(2, j) + at(3, j));
    expectNumbers(tf.matMul(tf.ones([3, 4]), tf.reshape(b, [4, 6])), [3, 6], expected, 1e-5);
  });

  it('has gradients', () => {
    const [x, w] = [random([2, 5, 9], 1), random([2, 9, 8], 2)];
    const [dx, dw] = tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.matMul(a, b)))([x, w]);
    const [atX, atW] = [entry(x), entry(w)];
    const sumOver = (extent: number, value: (index: number) => number) =>
      Array.from({ length: extent }, (_, index) => value(index)).reduce((sum, each) => sum + each, 0);
    expectNumbers(
      dx ?? tf.scalar(0),
      [2, 5, 9],
      filled([2, 5, 9], (b, _, p) => sumOver(8, (j) => atW(b, p, j))),
      1e-5,
    );
    expectNumbers(
      dw ?? tf.scalar(0),
      [2, 9, 8],
      filled([2, 9, 8], (b, p) => sumOver(5, (i) => atX(b, i, p))),
      1e-5,
    );
  });
});

describe('elementwise', () => {
  const erf = (x: number) => {
    let [sum, term] = [x, x];
    for (let n = 1; n < 100; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };
  const functions = [
    { name: 'erf', actual: tf.erf, expected: erf, limit: 4, tolerance: 1.2e-7 },
    { name: 'tanh', actual: tf.tanh, expected: Math.tanh, limit: 9, tolerance: 5e-7 },
    { name: 'exp', actual: tf.exp, expected: Math.exp, limit: 2, tolerance: 1e-6 },
  ];
  for (const { name, actual, expected, limit, tolerance } of functions) {
    it.each([1, 3, 4, 10_007])(`${name} of %i numbers`, (count) => {
      const x = Float32Array.from({ length: count }, (_, index) => limit * ((2 * (index + 0.5)) / count - 1));
      expectNumbers(actual(tf.tensor1d(x)), [count], [...x].map(expected), tolerance);
    });
  }

  it('keeps to the limits', () => {
    const x = tf.tensor1d([Number.NEGATIVE_INFINITY, -1e9, 0, 1e9, Number.POSITIVE_INFINITY, Number.NaN]);
    expect([...tf.erf(x).dataSync()]).toEqual([-1, -1, 0, 1, 1, Number.NaN]);
    expect([...tf.exp(x).dataSync()]).toEqual([0, 0, 1, Infinity, Infinity, Number.NaN]);
    const exponents = tf.exp([-86, 60, 88.7]).dataSync();
    [-86, 60, 88.7].forEach((each, index) => {
      expect((exponents[index] ?? 0) / Math.exp(Math.fround(each))).toBeCloseTo(1, 6);
    });
  });
});

describe('sums over first axes', () => {
  const cases: [shape: number[], axis: number[] | undefined][] = [
    [[33, 16], [0]],
    [[33, 50], [0]],
    [
      [5, 7, 19],
      [0, 1],
    ],
    [
      [5, 7, 19],
      [1, 0],
    ],
    [[5, 7, 19], [0]],
    [[5, 7, 19], [2]],
    [[5, 7, 19], [-1]],
    [[33, 3], [0]],
    [[4, 5], undefined],
  ];
  it.each(cases)('%j over %j', (shape, axis) => {
    const x = random(shape);
    const at = entry(x);
    const summed = new Set(
      (axis ?? shape.map((_, index) => index)).map((each) => (each + shape.length) % shape.length),
    );
    const sums = new Map<string, number>();
    filled(shape, (...coordinates) => {
      const key = coordinates.filter((_, index) => !summed.has(index)).join();
      sums.set(key, (sums.get(key) ?? 0) + at(...coordinates));
      return 0;
    });
    const kept = shape.filter((_, index) => !summed.has(index));
    const withOnes = shape.map((extent, index) => (summed.has(index) ? 1 : extent));
    expectNumbers(tf.sum(x, axis), kept, [...sums.values()], 1e-4);
    expectNumbers(tf.sum(x, axis, true), withOnes, [...sums.values()], 1e-4);
  });
});

describe('kernels that move numbers', () => {
  const shape = [3, 4, 5, 2, 3];
  const x = () => random(shape);

  it('transposes five axes', () => {
    const [tensor, permuted] = [x(), [5, 3, 3, 4, 2]];
    const at = entry(tensor);
    const expected = filled(permuted, (c, a, e, b, d) => at(a ?? 0, b ?? 0, c ?? 0, d ?? 0, e ?? 0));
    expectNumbers(tf.transpose(tensor, [2, 0, 4, 1, 3]), permuted, expected);
  });

  it('slices', () => {
    const tensor = x();
    const at = entry(tensor);
    const expected = filled([2, 4, 3, 1, 3], (a = 0, b = 0, c = 0, d = 0, e = 0) =>
      at(a + 1, b, c + 2, d + 1, e),
    );
    expectNumbers(tf.slice(tensor, [1, 0, 2, 1], [2, 4, 3, 1]), [2, 4, 3, 1, 3], expected);
    expectNumbers(tf.slice(tf.tensor1d([1, 2, 3, 4], 'int32'), 1, 2), [2], [2, 3]);
    expect(() => tf.slice(tensor, [2], [2])).toThrow();
  });

  it('splits', () => {
    const tensor = random([4, 90]);
    const at = entry(tensor);
    const thirds = tf.split(tensor, 3, 1);
    thirds.forEach((third, part) => {
      expectNumbers(
        third,
        [4, 30],
        filled([4, 30], (i, j = 0) => at(i ?? 0, part * 30 + j)),
      );
    });
    expect(tf.split(tensor, [1, -1], 0).map((part) => part.shape)).toEqual([
      [1, 90],
      [3, 90],
    ]);
  });

  it('reverses', () => {
    const tensor = x();
    const at = entry(tensor);
    const expected = filled(shape, (a = 0, b = 0, c = 0, d = 0, e = 0) => at(a, 3 - b, c, d, 2 - e));
    expectNumbers(tf.reverse(tensor, [1, -1]), shape, expected);
  });

  it('tiles and broadcasts', () => {
    const tensor = random([2, 1, 50]);
    const at = entry(tensor);
    expectNumbers(
      tf.broadcastTo(tensor, [2, 3, 50]),
      [2, 3, 50],
      filled([2, 3, 50], (i, _, j) => at(i ?? 0, 0, j ?? 0)),
    );
    const tiled = filled([4, 1, 100], (i = 0, _, j = 0) => at(i % 2, 0, j % 50));
    expectNumbers(tf.tile(tensor, [2, 1, 2]), [4, 1, 100], tiled);
  });
});

describe('kernels that broadcast', () => {
  it('compares with a column', () => {
    const [x, column] = [random([6, 5], 1), random([6, 1], 2)];
    const [at, atColumn] = [entry(x), entry(column)];
    const greater = filled([6, 5], (i = 0, j = 0) => Number(at(i, j) > atColumn(i, 0)));
    expectNumbers(tf.greater(x, column), [6, 5], greater);
    const maximum = filled([6, 5], (i = 0, j = 0) => Math.max(at(i, j), atColumn(i, 0)));
    expectNumbers(tf.maximum(column, x), [6, 5], maximum);
  });

  it('spreads both operands', () => {
    const [column, row] = [random([6, 1], 1), random([1, 5], 2)];
    const [atColumn, atRow] = [entry(column), entry(row)];
    const minimum = filled([6, 5], (i = 0, j = 0) => Math.min(atColumn(i, 0), atRow(0, j)));
    expectNumbers(tf.minimum(column, row), [6, 5], minimum);
  });
});

describe('rows by number', () => {
  it('gathers along each axis', () => {
    const x = random([4, 5, 6]);
    const at = entry(x);
    const indices = tf.tensor2d([3, 0, 0, 2], [2, 2], 'int32');
    const atIndex = entry(indices);
    const first = filled([2, 2, 5, 6], (r = 0, s = 0, j = 0, l = 0) => at(atIndex(r, s), j, l));
    expectNumbers(tf.gather(x, indices, 0), [2, 2, 5, 6], first);
    const last = filled([4, 5, 2, 2], (i = 0, j = 0, r = 0, s = 0) => at(i, j, atIndex(r, s)));
    expectNumbers(tf.gather(x, indices, 2), [4, 5, 2, 2], last);
    expect(() => tf.gather(x, [4])).toThrow('expected indices from 0 to 3 along axis 0, got 4');
  });

  it('adds rows up, also as the gradient of gathering', () => {
    const sums = tf.unsortedSegmentSum(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), [2, 0, 2], 4);
    expectNumbers(sums, [4, 2], [3, 4, 0, 0, 6, 8, 0, 0]);
    const gradient = tf.grad((table: tf.Tensor) => tf.sum(tf.gather(table, [1, 1, 0])))(tf.zeros([3, 2]));
    expectNumbers(gradient, [3, 2], [1, 1, 2, 2, 0, 0]);
  });
});
