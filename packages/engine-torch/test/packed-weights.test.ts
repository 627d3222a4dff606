import * as tf from '@tensorflow/tfjs-core';
import { describeOnTorch, random } from './torch';

const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: tf.NamedAttrMap): tf.Tensor => {
  const results = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(kernel, inputs, attributes);
  const [first] = Array.isArray(results) ? results : [results];
  if (first === undefined) throw new Error(`${kernel} gave nothing`);
  return first;
};

const layer = (name: string, rows: number, columns: number, seed: number) => ({
  [`${name}Weight`]: random([rows, columns], seed),
  [`${name}Bias`]: random([columns], seed + 1),
});

interface Pass {
  readonly weights: Record<string, tf.Tensor>;
  readonly forward: (x: tf.Tensor, weights: Record<string, tf.Tensor>, keeps: boolean) => tf.Tensor;
}

const dim = 40;
const entrance = () => ({ normWeight: random([dim], 3), normBias: random([dim], 4) });
const passes: Readonly<Record<string, () => Pass>> = {
  linear: () => ({
    weights: { weight: random([dim, 70], 5), bias: random([70], 6) },
    forward: (x, weights) => run('WinnowLinear', { x, ...weights }, {}),
  }),
  'a feed-forward with layer scale': () => ({
    weights: {
      ...layer('expand', dim, 70, 5),
      ...layer('contract', 70, dim, 7),
      layerScale0: random([dim], 9),
    },
    forward: (x, weights, keeps) =>
      run(
        'WinnowFfnSublayer',
        { x, ...entrance(), ...weights },
        { epsilon: 1e-6, activation: 'gelu', keeps },
      ),
  }),
  'an attention': () => ({
    weights: {
      ...layer('query', dim, 33, 5),
      ...layer('key', dim, 33, 7),
      ...layer('value', dim, 69, 9),
      ...layer('output', 69, dim, 11),
    },
    forward: (x, weights, keeps) =>
      run(
        'WinnowAttentionSublayer',
        { x, ...entrance(), ...weights },
        { heads: 3, tokens: 6, scale: 0.3, epsilon: 1e-6, causal: false, keeps },
      ),
  }),
};

/** A step of the optimiser where the caller gives up the old weights: new numbers in the same memory. */
function stepInPlace(weights: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  const leaves = Object.values(weights).flatMap((parameter, index) => [
    parameter,
    random(parameter.shape, 20 + index),
    tf.zerosLike(parameter),
    tf.zerosLike(parameter),
  ]);
  const names = Object.keys(weights);
  const stepped = tf
    .engine()
    .runKernel<tf.Tensor[]>('WinnowAdamW', Object.fromEntries(leaves.map((leaf, index) => [index, leaf])), {
      ...{ learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, iteration: 1 },
      weightDecays: names.map(() => 0),
      donated: true,
    });
  return Object.fromEntries(names.map((name, index) => [name, stepped[3 * index] ?? tf.scalar(NaN)]));
}

for (const precision of ['f32', 'bf16'] as const) {
  describeOnTorch(
    `weights packed once, in ${precision}`,
    () => {
      it.each(Object.keys(passes))(
        'pass after pass gives the same bytes, and other inputs theirs: %s',
        (what) => {
          tf.tidy(() => {
            const { weights, forward } = passes[what]?.() ?? { weights: {}, forward: () => tf.scalar(NaN) };
            for (const seed of [1, 2, 3, 1]) {
              const x = random([24, dim], seed);
              // Where gradients are asked for, weights are packed anew.
              const expected = forward(x, Object.fromEntries(copies(weights)), true).dataSync();
              expect(forward(x, weights, false).dataSync()).toEqual(expected);
            }
          });
        },
      );

      it.each(Object.keys(passes))(
        'forgets what it packed when an optimiser writes over the weights: %s',
        (what) => {
          tf.tidy(() => {
            const { weights, forward } = passes[what]?.() ?? { weights: {}, forward: () => tf.scalar(NaN) };
            const x = random([24, dim], 1);
            const before = [0, 1, 2].map(() => forward(x, weights, false).dataSync().slice());
            const stepped = stepInPlace(weights);
            const after = [0, 1, 2].map(() => forward(x, stepped, false).dataSync());
            const expected = forward(x, Object.fromEntries(copies(stepped)), true).dataSync();
            expect(expected).not.toEqual(before[0]);
            expect(after).toEqual([expected, expected, expected]);
          });
        },
      );

      it.each(Object.keys(passes))('tells new weights from those whose memory they got: %s', (what) => {
        for (const seed of [1, 2, 3, 4]) {
          tf.tidy(() => {
            const { weights, forward } = passes[what]?.() ?? { weights: {}, forward: () => tf.scalar(NaN) };
            const own = Object.fromEntries(
              Object.entries(weights).map(([name, weight]) => [name, tf.mul(weight, seed)]),
            );
            tf.dispose(weights);
            const x = random([24, dim], 1);
            const found = [0, 1, 2].map(() => forward(x, own, false).dataSync());
            const expected = forward(x, Object.fromEntries(copies(own)), true).dataSync();
            expect(found).toEqual([expected, expected, expected]);
          });
        }
      });
    },
    { precision },
  );
}

const copies = (weights: Record<string, tf.Tensor>): [string, tf.Tensor][] =>
  Object.entries(weights).map(([name, weight]) => [name, tf.tensor(weight.dataSync(), weight.shape)]);
