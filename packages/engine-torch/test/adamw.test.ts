import * as tf from '@tensorflow/tfjs-core';
import { TorchBackend } from '../src/index';
import * as compositions from './compositions';
import { describeOnAllKernels, deviation, random, testDevice } from './torch';

const hyper = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, iteration: 3 };
/** Scalars, nothing, what no vector divides, and enough for several threads. */
const shapes = [[], [1], [0, 4], [7], [17, 33], [300, 301], [5]];
const weightDecays = shapes.map((_, index) => index / 100);

interface Leaf {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

const leavesAt = (seed: number): Leaf[] =>
  shapes.map((shape, index) => ({
    parameter: random(shape, seed + 4 * index),
    gradient: random(shape, seed + 4 * index + 1),
    mean: random(shape, seed + 4 * index + 2),
    variance: tf.square(random(shape, seed + 4 * index + 3)),
  }));

function step(leaves: readonly Leaf[], donated: boolean): tf.Tensor[] {
  const inputs = leaves.flatMap(({ parameter, gradient, mean, variance }) => [
    parameter,
    gradient,
    mean,
    variance,
  ]);
  return tf
    .engine()
    .runKernel<tf.Tensor[]>('WinnowAdamW', Object.fromEntries(inputs.map((input, index) => [index, input])), {
      ...hyper,
      weightDecays: weightDecays.slice(0, leaves.length),
      donated,
    });
}

const composed = (leaves: readonly Leaf[]): tf.Tensor[] =>
  leaves.flatMap((leaf, index) =>
    compositions.adamW({ ...leaf }, { ...hyper, weightDecay: weightDecays[index] ?? 0 }),
  );

/** A GPU's kernel of libtorch corrects the moments' bias in float32. */
const TOLERANCE = testDevice === 'cpu' ? 2e-6 : 1e-5;

function expectSame(actual: readonly tf.Tensor[], expected: readonly Float32Array[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((tensor, index) => {
    expect(deviation(tensor.dataSync(), expected[index] ?? [])).toBeLessThan(TOLERANCE);
  });
}

const nativeBytes = (): number => {
  const backend = tf.backend();
  if (!(backend instanceof TorchBackend)) throw new Error('expected the torch backend');
  return backend.nativeMemory().bytes;
};

describeOnAllKernels('AdamW over all leaves', () => {
  it('is the composition, leaf by leaf, and leaves its inputs as they are', () => {
    tf.tidy(() => {
      const leaves = leavesAt(1);
      const before = leaves.map(({ parameter }) => parameter.dataSync().slice());
      const expected = composed(leaves).map((tensor) => tensor.dataSync<'float32'>().slice());
      expectSame(step(leaves, false), expected);
      expect(leaves.map(({ parameter }) => parameter.dataSync())).toEqual(before);
    });
  });

  it('writes into donated memory, and gives the same numbers', () => {
    tf.tidy(() => {
      const leaves = leavesAt(2);
      const expected = composed(leaves).map((tensor) => tensor.dataSync<'float32'>().slice());
      const before = nativeBytes();
      const updated = step(leaves, true);
      expect(nativeBytes()).toBe(before);
      expectSame(updated, expected);
      for (const { parameter, mean, variance } of leaves) tf.dispose([parameter, mean, variance]);
      expectSame(updated, expected);
    });
  });

  const sharing: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
    clone: (x) => tf.clone(x),
    reshape: (x) => tf.reshape(x, [-1]),
    slice: (x) => (x.rank === 0 ? tf.clone(x) : tf.slice(x, 0, x.shape[0])),
    cast: (x) => tf.cast(x, 'float32'),
    transpose: (x) => {
      const row = tf.reshape(x, [1, x.size]);
      const column = tf.transpose(row);
      row.dispose();
      return column;
    },
  };

  it.each(Object.keys(sharing))('leaves donated memory alone that another tensor shares: %s', (way) => {
    tf.tidy(() => {
      const leaves = leavesAt(3);
      const held = leaves.map(({ parameter }) => sharing[way]?.(parameter) ?? parameter);
      const before = held.map((tensor) => tensor.dataSync().slice());
      const expected = composed(leaves).map((tensor) => tensor.dataSync<'float32'>().slice());
      expectSame(step(leaves, true), expected);
      // Not toEqual: where it fails, jest compares long arrays for minutes.
      held.forEach((tensor, index) => {
        expect(deviation(tensor.dataSync(), before[index] ?? [])).toBe(0);
      });
    });
  });

  it('leaves donated memory alone that stands in two leaves', () => {
    tf.tidy(() => {
      const [scalar, one, ...rest] = leavesAt(5);
      if (scalar === undefined || one === undefined) throw new Error('expected leaves');
      const leaves = [{ ...one, variance: one.parameter }, { ...one, parameter: one.mean }, ...rest];
      const expected = composed(leaves).map((tensor) => tensor.dataSync<'float32'>().slice());
      expectSame(step(leaves, true), expected);
    });
  });

  it('refuses parameters of another type', () => {
    tf.tidy(() => {
      const [leaf] = leavesAt(4);
      if (leaf === undefined) throw new Error('expected a leaf');
      const wrong = { ...leaf, parameter: tf.scalar(1, 'int32') };
      expect(() => step([wrong], false)).toThrow(/expected float32/);
    });
  });

  it('refuses moments of another size', () => {
    tf.tidy(() => {
      const [leaf] = leavesAt(4);
      if (leaf === undefined) throw new Error('expected a leaf');
      const wrong = { ...leaf, mean: tf.zeros([2]) };
      expect(() => step([wrong], false)).toThrow(/parameter's size/);
    });
  });
});
