import * as tf from '@tensorflow/tfjs-core';
import { describeOnTorch } from './torch';

/** Where polynomials end, and far behind. */
const inputs = [
  -1e30, -60, -9, -4.3, -4.2, -3, -1.5, -0.75, -0.01, 0, 0.01, 0.75, 1.5, 3, 4.2, 4.3, 9, 60, 1e30,
];

/** Φ(x), by Simpson's rule from 0; beyond ±10 what float64 rounds it to. */
function normalBelow(x: number): number {
  const end = Math.abs(x);
  if (end > 10) return x < 0 ? 0 : 1;
  const steps = 2000;
  const density = (at: number) => Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI);
  const sum = Array.from({ length: steps + 1 }, (_, i) => {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    return weight * density((i * end) / steps);
  }).reduce((total, each) => total + each, 0);
  const half = (sum * end) / steps / 3;
  return x < 0 ? 0.5 - half : 0.5 + half;
}

/** The activation of these numbers: biases of a layer that adds nothing to them, and that another one leaves as they are. */
function activated(before: readonly number[]): number[] {
  const width = before.length;
  const [result] = tf.engine().runKernel<tf.Tensor[]>(
    'WinnowFfnSublayer',
    {
      x: tf.zeros([1, width]),
      normWeight: tf.ones([width]),
      normBias: tf.zeros([width]),
      expandWeight: tf.zeros([width, width]),
      expandBias: tf.tensor1d([...before]),
      contractWeight: tf.eye(width),
      contractBias: tf.zeros([width]),
    },
    { epsilon: 1e-6, activation: 'gelu', keeps: true },
  );
  return [...(result?.dataSync() ?? [])];
}

describeOnTorch(
  'GELU in bf16',
  () => {
    it('is within the rounding of x·Φ(x), as far as numbers go', () => {
      tf.tidy(() => {
        const made = activated(inputs);
        for (const [index, x] of inputs.entries()) {
          const exact = x * normalBelow(x);
          expect(Math.abs((made[index] ?? NaN) - exact)).toBeLessThanOrEqual(1e-4 + Math.abs(exact) / 256);
        }
      });
    });

    it('of what is no number is none', () => {
      tf.tidy(() => {
        expect(activated([1, NaN, 2]).some(Number.isNaN)).toBe(true);
      });
    });
  },
  { precision: 'bf16' },
);
