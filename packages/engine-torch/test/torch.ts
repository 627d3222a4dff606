import * as tf from '@tensorflow/tfjs-core';
import { type Kernels, TorchBackend, type TorchOptions, obstacle, startTorch } from '../src/index';

/** `cuda` runs all tests on a GPU. */
export const testDevice = process.env['WINNOW_TEST_DEVICE'] || 'cpu';
/** For what a GPU cannot do, or cannot say without ending the process: a position out of range, products of integers. */
export const onCpu = testDevice === 'cpu' ? it : it.skip;

/** Registers the tests of `body`, or shows them as skipped where the addon has not been built and no device is asked for. */
export function describeOnTorch(what: string, body: () => void, options: TorchOptions = {}): void {
  const missing = obstacle();
  if (missing !== undefined && process.env['WINNOW_TEST_DEVICE']) throw new Error(missing);
  if (missing !== undefined) {
    it.skip(`${what} (${missing})`, () => undefined);
    return;
  }
  describe(what, () => {
    // Two threads, as some kernels take another way when they share their work.
    beforeAll(() => startTorch({ threads: 2, device: testDevice, ...options }));
    beforeEach(() => tf.setBackend('torch'));
    body();
  });
}

/** The same with our own kernels, and on libtorch's alone. */
export function describeOnAllKernels(what: string, body: () => void, options: TorchOptions = {}): void {
  const all: readonly Kernels[] = ['own', 'libtorch'];
  for (const kernels of all) {
    const whose = kernels === 'own' ? 'our kernels' : "libtorch's kernels";
    describeOnTorch(`${what}, on ${whose}`, body, { ...options, kernels });
  }
}

/** Values in [−2, 2), the same each time for one seed (Lehmer's generator). */
export function values(size: number, seed = 1): Float32Array {
  let state = 48_271 * (seed + 1);
  return Float32Array.from({ length: size }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state / 2_147_483_647) * 4 - 2;
  });
}

export function random(shape: readonly number[], seed = 1): tf.Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tf.tensor(values(size, seed), [...shape]);
}

/** The largest deviation, relative to max(1, |expected|); NaN and infinities must be in the same places. */
export function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(actual).reduce((far, value, i) => {
    const wanted = expected[i] ?? 0;
    if (Object.is(value, wanted)) return far;
    const distance = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
    return distance <= far ? far : distance;
  }, 0);
}

export function torchBackend(): TorchBackend {
  const backend = tf.backend();
  if (backend instanceof TorchBackend) return backend;
  throw new Error(`expected the torch backend, got ${tf.getBackend()}`);
}
