import * as tf from '@tensorflow/tfjs-core';
import { describeOnAllKernels, random, values } from './torch';

/** One number, nothing, what no vector divides, and enough for several threads. */
const shapes = [[], [0, 4], [7], [17, 33], [300, 301], [5]];

const probe = (tensors: readonly tf.Tensor[]): number => {
  const inputs = Object.fromEntries(tensors.map((tensor, index) => [index, tensor]));
  const [result] = tf.engine().runKernel<tf.Tensor[]>('WinnowFiniteProbe', inputs, {});
  expect(result?.shape).toEqual([]);
  return result?.dataSync()[0] ?? 0;
};

describeOnAllKernels('the probe of many tensors for numbers that are none', () => {
  it('is finite where all are, however large', () => {
    tf.tidy(() => {
      const tensors = shapes.map((shape, index) => random(shape, index));
      expect(probe(tensors)).toBeLessThan(Infinity);
      expect(probe([tf.tensor1d([0, -0, 1e-45, 1e9])])).toBeLessThan(Infinity);
    });
  });

  it.each([NaN, Infinity, -Infinity])('is not finite where one is %p, at whatever place', (fault) => {
    tf.tidy(() => {
      for (const [at, shape] of shapes.entries()) {
        const size = tf.util.sizeFromShape([...shape]);
        for (const place of new Set([0, Math.floor(size / 2), size - 1])) {
          if (place < 0 || size === 0) continue;
          const numbers = values(size, at);
          numbers[place] = fault;
          const tensors = shapes.map((each, index) =>
            index === at ? tf.tensor(numbers, [...shape]) : random(each, index),
          );
          expect(Number.isFinite(probe(tensors))).toBe(false);
        }
      }
    });
  });
});
