import * as tf from '@tensorflow/tfjs-core';
import { describeOnAllKernels, deviation, random } from './torch';

/** Kernels that treat units in their own ways, at sizes that threads share, against tfjs operations and their gradients. */
const [ROWS, UNITS, WIDTH] = [120, 70, 90];
const TOLERANCE = 2e-5;

const run = (kernel: string, inputs: tf.Tensor[], attributes: tf.NamedAttrMap) =>
  tf.engine().runKernel<tf.Tensor[]>(kernel, Object.fromEntries(inputs.entries()), attributes);

const at = <Value>(list: readonly Value[], index: number): Value => {
  const found = list[index];
  if (found === undefined) throw new Error(`expected something at ${index}`);
  return found;
};

function expectAll(actual: readonly tf.Tensor[], expected: readonly tf.Tensor[]): void {
  expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  actual.forEach((tensor, i) => {
    expect(deviation(tensor.dataSync(), at(expected, i).dataSync())).toBeLessThan(TOLERANCE);
  });
}

/** A matrix of columns, a bias and a matrix of rows for each of three layers, the second and third borrowing. */
const shapes = [0, 1, 2].flatMap(() => [[ROWS, UNITS], [UNITS], [UNITS, WIDTH]]);
const parametersAndGradients = () => [
  shapes.map((s, i) => random(s, i)),
  shapes.map((s, i) => random(s, 20 + i)),
];
const beside = (numbers: tf.Tensor, index: number) =>
  index % 3 === 2 ? tf.reshape(numbers, [-1, 1]) : numbers;
const unitsAndWidths = {
  units: shapes.map(() => UNITS),
  widths: shapes.map((_, i) => (i % 3 === 2 ? WIDTH : 1)),
};

describeOnAllKernels('kernels on units against tfjs operations', () => {
  it('WinnowShareUnits and its gradient', () => {
    tf.tidy(() => {
      const [parameters = [], gradients = []] = parametersAndGradients();
      const vector = random([4 * UNITS], 50);
      const part = (v: tf.Tensor, index: number, of: number) => beside(tf.slice(v, index * UNITS, UNITS), of);
      const compose = (v: tf.Tensor): tf.Tensor[] => {
        const blended: tf.Tensor[] = [];
        parameters.forEach((own, i) => {
          const share = part(v, i < 6 ? 0 : 1, i);
          blended.push(
            i < 3 ? own : tf.add(tf.mul(own, share), tf.mul(at(blended, i - 3), tf.sub(1, share))),
          );
        });
        return blended.map((each, i) => (i % 3 === 0 ? tf.mul(each, part(v, i === 3 ? 3 : 2, i)) : each));
      };
      const attributes = {
        ...unitsAndWidths,
        lenders: shapes.map((_, i) => (i < 3 ? -1 : i - 3)),
        shares: shapes.map((_, i) => (i < 3 ? -1 : i < 6 ? 0 : UNITS)),
        scales: shapes.map((_, i) => (i % 3 === 0 ? (i === 3 ? 3 : 2) * UNITS : -1)),
      };
      expectAll(run('WinnowShareUnits', [...parameters, vector], attributes), compose(vector));
      const expected = tf.grad((v: tf.Tensor) =>
        compose(v).reduce((total, y, i) => tf.add(total, tf.sum(tf.mul(y, at(gradients, i)))), tf.scalar(0)),
      )(vector);
      const found = run('WinnowShareUnitsGradient', [...gradients, ...parameters, vector], attributes);
      const scale = tf.div(1, tf.max(tf.abs(expected)));
      expectAll(
        found.map((each) => tf.mul(each, scale)),
        [tf.mul(expected, scale)],
      );
    });
  });

  it('WinnowPenalizeUnits and its gradient', () => {
    tf.tidy(() => {
      const [parameters = [], gradients = []] = parametersAndGradients();
      const weights = tf.relu(random([3 * UNITS], 51)); // half of them 0
      const epsilon = 1e-12;
      const weightsAt = (from: number) => tf.slice(weights, from, UNITS);
      const overUnits = (x: tf.Tensor, i: number) => (x.rank === 1 ? x : tf.sum(x, i % 3 === 2 ? 1 : 0));
      const distances = [3, 4, 5, 6, 7, 8].map((own) => [own, own - 3, own < 6 ? 0 : UNITS]);
      const norms = [[0, 1], [2], [6, 7]];
      const compose = (list: readonly tf.Tensor[]): tf.Tensor => {
        const terms = [
          ...distances.map(([own = 0, lent = 0, from = 0]) =>
            tf.mul(overUnits(tf.abs(tf.sub(at(list, own), at(list, lent))), own), weightsAt(from)),
          ),
          ...norms.map((parts) => {
            const squares = parts.map((i) => overUnits(tf.square(at(list, i)), i));
            const total = squares.reduce((sum, each) => tf.add(sum, each), tf.scalar(epsilon));
            return tf.mul(tf.sqrt(total), weightsAt(2 * UNITS));
          }),
        ];
        return tf.sum(terms.reduce((total, term) => tf.add(total, term)));
      };
      const attributes = {
        ...unitsAndWidths,
        distances: distances.flat(),
        norms: norms.flatMap((parts) => [2 * UNITS, parts.length, ...parts]),
        epsilon,
      };
      const [penalty, ...same] = run('WinnowPenalizeUnits', [...parameters, weights], attributes);
      expectAll([penalty ?? weights, ...same], [compose(parameters), ...parameters]);
      const dy = tf.scalar(0.3);
      const pulls = tf.grads((...list: tf.Tensor[]) => tf.mul(compose(list), dy))(parameters);
      const found = run(
        'WinnowPenalizeUnitsGradient',
        [dy, ...gradients, ...parameters, weights],
        attributes,
      );
      expectAll(
        found,
        gradients.map((gradient, i) => tf.add(gradient, at(pulls, i))),
      );
    });
  });

  it('WinnowHeads and its gradient', () => {
    tf.tidy(() => {
      const sizes = [300, 1, 450];
      const [features, weight, bias, dy] = [[3, 64], [64, 751], [751], [751]].map((s, i) => random(s, i));
      if (!features || !weight || !bias || !dy) throw new Error('expected four tensors');
      const compose = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => {
        const rows = tf.split(x, 3, 0);
        const products = tf.split(w, sizes, 1).map((columns, i) => tf.matMul(at(rows, i), columns));
        return tf.add(tf.reshape(tf.concat(products, 1), [-1]), bias);
      };
      const found = tf.engine().runKernel<tf.Tensor[]>('WinnowHeads', { features, weight, bias }, { sizes });
      expectAll(found, [compose(features, weight)]);
      const gradients = tf.grads((x, w) => tf.sum(tf.mul(compose(x, w), dy)))([features, weight]);
      expectAll(
        tf.engine().runKernel<tf.Tensor[]>('WinnowHeadsGradient', { dy, features, weight }, { sizes }),
        gradients,
      );
    });
  });
});
