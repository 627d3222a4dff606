import {
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  concat,
  matMul,
  memory,
  mul,
  reshape,
  sigmoid,
  slice,
  sub,
  sum,
  tanh,
  tensor,
  tidy,
  valueAndGrads,
  zeros,
} from '@tensorflow/tfjs-core';
import { randomStream } from '@winnow/core';
import { availableEngines, startEngine } from '@winnow/engine';
import { type GruParams, gru } from '../src/gru';
import { heads } from '../src/heads';

const engines = await availableEngines();

const random = (...shape: number[]): Tensor => {
  const stream = randomStream(1, 'recurrent', ...shape);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return mul(
    tensor(
      Float32Array.from({ length: size }, () => stream.normal()),
      shape,
    ),
    0.4,
  );
};
const matrix = (x: Tensor | undefined): Tensor2D => reshape(x ?? zeros([]), [x?.shape[0] ?? 0, -1]);
const vector = (x: Tensor | undefined): Tensor1D => reshape(x ?? zeros([]), [-1]);

/** The formulas of a GRU step by step, on the tape of tfjs. */
function composedGru(params: GruParams, x: Tensor2D): Tensor2D {
  const [hidden] = params.recurrentWeight.shape;
  let state: Tensor2D = zeros([1, hidden]);
  const states: Tensor2D[] = [];
  for (let step = 0; step < x.shape[0]; step++) {
    const row: Tensor2D = slice(x, [step, 0], [1, x.shape[1]]);
    const input: Tensor2D = add(matMul(row, params.inputWeight), params.inputBias);
    const recurrent: Tensor2D = add(matMul(state, params.recurrentWeight), params.recurrentBias);
    const gate = (from: Tensor2D, index: number): Tensor2D => slice(from, [0, index * hidden], [1, hidden]);
    const reset = sigmoid(add(gate(input, 0), gate(recurrent, 0)));
    const update = sigmoid(add(gate(input, 1), gate(recurrent, 1)));
    const candidate = tanh(add(gate(input, 2), mul(reset, gate(recurrent, 2))));
    state = add(mul(sub(1, update), candidate), mul(update, state));
    states.push(state);
  }
  return concat(states, 0);
}

const composedHeads = (features: Tensor2D, weight: Tensor2D, bias: Tensor1D, sizes: readonly number[]) => {
  let first = 0;
  const outputs = sizes.map((size, row) => {
    const own: Tensor2D = slice(features, [row, 0], [1, features.shape[1]]);
    const columns: Tensor2D = slice(weight, [0, first], [weight.shape[0], size]);
    first += size;
    return reshape(matMul(own, columns), [-1]);
  });
  return add<Tensor1D>(concat(outputs, 0), bias);
};

const farthest = (one: Tensor, other: Tensor): number => {
  expect(one.shape).toEqual(other.shape);
  const expected = other.dataSync<'float32'>();
  return Math.max(
    ...one.dataSync<'float32'>().map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))),
  );
};

/** Values and all gradients of an operation and of its composition. */
function expectSame(
  operation: (...inputs: Tensor[]) => Tensor,
  composition: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor[],
): void {
  const of = (compute: (...inputs: Tensor[]) => Tensor) => {
    const value = compute(...inputs);
    const { grads } = valueAndGrads((...leaves) =>
      sum<Scalar>(mul(compute(...leaves), random(...value.shape))),
    )(inputs);
    return [value, ...grads];
  };
  const expected = of(composition);
  of(operation).forEach((found, index) => {
    expect(farthest(found, expected[index] ?? found)).toBeLessThan(1e-5);
  });
}

for (const engine of engines) {
  if (!engine.available) {
    it.skip(`the hypernetwork's operations on ${engine.name}: ${engine.reason}`, () => undefined);
    continue;
  }
  describe(`the hypernetwork's operations on ${engine.name}`, () => {
    beforeAll(async () => {
      await startEngine(engine.name);
    });

    it.each([1, 2, 9])('the GRU has the values and gradients of its formulas, %d steps', (steps) => {
      const before = memory().numTensors;
      tidy(() => {
        const [inputs, hidden] = [5, 7];
        const x = matrix(random(steps, inputs));
        const paramsOf = ([a, b, c, d]: Tensor[]): GruParams => ({
          inputWeight: matrix(a),
          inputBias: vector(b),
          recurrentWeight: matrix(c),
          recurrentBias: vector(d),
        });
        expectSame(
          (...leaves) => gru(paramsOf(leaves), x),
          (...leaves) => composedGru(paramsOf(leaves), x),
          [random(inputs, 3 * hidden), random(3 * hidden), random(hidden, 3 * hidden), random(3 * hidden, 1)],
        );
      });
      expect(memory().numTensors).toBe(before);
    });

    it.each([[[3, 1, 4]], [[6]]])(
      'heads of %p columns have the values and gradients of products',
      (sizes) => {
        const before = memory().numTensors;
        tidy(() => {
          const columns = sizes.reduce((a, b) => a + b, 0);
          expectSame(
            (x, weight, bias) => heads(matrix(x), { weight: matrix(weight), bias: vector(bias) }, sizes),
            (x, weight, bias) => composedHeads(matrix(x), matrix(weight), vector(bias), sizes),
            [random(sizes.length, 5), random(5, columns), random(columns)],
          );
        });
        expect(memory().numTensors).toBe(before);
      },
    );
  });
}
