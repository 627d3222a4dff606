import { type Tensor, tensor, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import {
  type Optimizer,
  type TensorTree,
  adamw,
  clipByGlobalNorm,
  clipGradients,
  constant,
  cosine,
  entriesOf,
  only,
  randomStream,
  sgd,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { fixtureConfig, fixtureTensor, hasFixture } from './fixture';

/** Parameters after each step, by path, with the gradients given. */
function trajectory(
  optimizer: Optimizer<TensorTree>,
  start: TensorTree,
  gradients: readonly TensorTree[],
): Record<string, number[]>[] {
  return tidy(() => {
    let [params, state] = [start, optimizer.init(start)];
    return gradients.map((gradient, step) => {
      ({ params, state } = optimizer.update({ params, gradients: gradient, state, step }));
      return Object.fromEntries(entriesOf(params).map(([path, leaf]) => [path, [...leaf.dataSync()]]));
    });
  });
}

describeOnEveryEngine('adamw', () => {
  it('steps leaves together as it would alone, whatever their shapes, decay and size', () => {
    const shapes = [[3], [2, 3], [5], [4, 3], [1, 3], [2, 2], [], [1100, 1000], [7, 1000]];
    const leafOf = (index: number, scale: number) => {
      const shape = shapes[index] ?? [];
      const size = shape.reduce((product, extent) => product * extent, 1);
      return tensor(
        Float32Array.from({ length: size }, (_, i) => scale * Math.sin(i + 3 * index + scale)),
        shape,
      );
    };
    tidy(() => {
      const optimizer = adamw<Record<string, Tensor>>({ schedule: constant(0.01), weightDecay: 0.1 });
      const bytes = (leaf: Tensor | undefined) =>
        Buffer.from(new Uint8Array(leaf?.dataSync<'float32'>().buffer ?? new ArrayBuffer(0)));
      const tree = (scale: number) =>
        Object.fromEntries(shapes.map((_, i) => [`leaf${i}`, leafOf(i, scale)]));
      const [params, gradients] = [tree(1), tree(0.3)];
      const together = optimizer.update({ params, gradients, state: optimizer.init(params), step: 0 });
      for (const [path, parameter] of entriesOf(params)) {
        const gradient = gradients[path];
        if (gradient === undefined) throw new Error(`no gradient at ${path}`);
        const alone = { [path]: parameter };
        const update = {
          params: alone,
          gradients: { [path]: gradient },
          state: optimizer.init(alone),
          step: 0,
        };
        const expected = optimizer.update(update);
        expect(together.params[path]?.shape).toEqual(parameter.shape);
        expect(bytes(together.params[path]).equals(bytes(expected.params[path]))).toBe(true);
        const moments = new Map(entriesOf(together.state));
        for (const [name, moment] of entriesOf(expected.state)) {
          expect(bytes(moments.get(name)).equals(bytes(moment))).toBe(true);
        }
      }
    });
  });

  (hasFixture ? it : it.skip)(
    `follows PyTorch's trajectory${hasFixture ? '' : ': the fixture is not here'}`,
    () => {
      const { lr, betas, eps, weight_decay: weightDecay } = fixtureConfig();
      const [beta1, beta2] = betas as [number, number];
      const start = fixtureTensor('w0');
      const [gradients, weights] = [fixtureTensor('grads'), fixtureTensor('weights')];
      const size = start.values.length;
      const stepOf = ({ values }: typeof weights, step: number) =>
        values.slice(step * size, (step + 1) * size);
      const steps = Array.from({ length: gradients.shape[0] ?? 0 }, (_, step) => step);
      const found = trajectory(
        adamw({
          schedule: constant(lr as number),
          beta1,
          beta2,
          epsilon: eps as number,
          weightDecay: weightDecay as number,
        }),
        { w: tensor(start.values, start.shape) },
        steps.map((step) => ({ w: tensor(stepOf(gradients, step), start.shape) })),
      );
      expect(found).toHaveLength(5);
      found.forEach(({ w = [] }, step) => {
        const expected = stepOf(weights, step);
        const deviation = Math.max(...w.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
        expect(deviation).toBeLessThan(2e-6);
      });
    },
  );

  it('decays matrices and leaves vectors, unless told otherwise', () => {
    const start = () => ({ matrix: tensor2d([1], [1, 1]), vector: tensor1d([1]) });
    const still = { matrix: tensor2d([0], [1, 1]), vector: tensor1d([0]) };
    const options = { schedule: constant(0.1), weightDecay: 0.5 };
    const [byDefault] = trajectory(adamw(options), start(), [still]);
    expect(byDefault?.['matrix']?.[0]).toBeCloseTo(0.95, 6);
    expect(byDefault?.['vector']?.[0]).toBe(1);
    const [chosen] = trajectory(adamw({ ...options, decays: (_, path) => path === 'vector' }), start(), [
      still,
    ]);
    expect(chosen?.['matrix']?.[0]).toBe(1);
    expect(chosen?.['vector']?.[0]).toBeCloseTo(0.95, 6);
  });
});

describeOnEveryEngine('sgd', () => {
  const given = () => ({ matrix: tensor2d([2, -1], [1, 2]), vector: tensor1d([4]) });
  const start = () => ({ matrix: tensor2d([1, 1], [1, 2]), vector: tensor1d([1]) });

  it('steps against the gradient', () => {
    const [first] = trajectory(sgd({ schedule: constant(0.5) }), start(), [given()]);
    expect(first).toEqual({ matrix: [0, 1.5], vector: [-1] });
  });

  it('adds momentum and coupled decay of matrices', () => {
    const optimizer = sgd({
      schedule: constant(0.5),
      momentum: 0.5,
      weightDecay: 0.5,
    });
    // v₁ = g + θ/2 = [2.5, −0.5]; θ₁ = [−0.25, 1.25]. v₂ = v₁/2 + g + θ₁/2 = [3.125, −0.625]; θ₂ = [−1.8125, 1.5625].
    expect(trajectory(optimizer, start(), [given(), given()])).toEqual([
      { matrix: [-0.25, 1.25], vector: [-1] },
      { matrix: [-1.8125, 1.5625], vector: [-4] },
    ]);
  });

  it('sees gradients clipped by their joint norm', () => {
    const clipped = clipByGlobalNorm(sgd({ schedule: constant(1) }), 2.5);
    const large = { matrix: tensor2d([3, 0], [1, 2]), vector: tensor1d([4]) };
    const small = { matrix: tensor2d([0.5, 0], [1, 2]), vector: tensor1d([-1]) };
    const [first, second] = trajectory(clipped, start(), [large, small]);
    expect(first?.['matrix']?.[0]).toBeCloseTo(1 - 1.5, 5);
    expect(first?.['vector']?.[0]).toBeCloseTo(1 - 2, 5);
    expect(second?.['matrix']?.[0]).toBeCloseTo(-0.5 - 0.5, 5);
    expect(second?.['vector']?.[0]).toBeCloseTo(-1 + 1, 5);
  });

  it('leaves alone what is not selected, also with decay and momentum', () => {
    const frozen = only(
      sgd({ schedule: constant(0.5), momentum: 0.9, weightDecay: 0.5 }),
      (path) => path === 'vector',
    );
    const after = trajectory(frozen, start(), [given(), given()]);
    expect(after.map(({ matrix }) => matrix)).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(after[0]?.['vector']).toEqual([-1]);
  });
});

describeOnEveryEngine('gradients clipped by their joint norm', () => {
  /** Scalars, what no vector divides, and enough for several threads. */
  const shapes = [[], [1], [7], [17, 33], [130, 131]];
  const random = randomStream(5, 'clipping');
  const values = shapes.map((shape) =>
    Array.from({ length: shape.reduce((size, axis) => size * axis, 1) }, () => random.uniform() - 0.5),
  );
  const norm = Math.sqrt(values.flat().reduce((total, value) => total + value * value, 0));
  const clipped = (lists: readonly number[][], maxNorm: number): number[][] =>
    tidy(() =>
      clipGradients(
        lists.map((list, index) => tensor(list, shapes[index])),
        maxNorm,
      ).map((each) => [...each.dataSync()]),
    );

  it.each([1, norm / 2, norm * 2])('have at most %d, all by the same factor', (maxNorm) => {
    const factor = Math.min(1, maxNorm / (norm + 1e-6));
    const largest = clipped(values, maxNorm).map((list, index) =>
      Math.max(...list.map((value, at) => Math.abs(value - (values[index]?.[at] ?? 0) * factor))),
    );
    expect(Math.max(...largest)).toBeLessThan(1e-6 * factor);
  });

  it('are all lost where one is no number, and none where there is nothing', () => {
    const broken = values.map((list, index) => (index === 2 ? list.map(() => Number.NaN) : list));
    expect(clipped(broken, 1).flat().every(Number.isNaN)).toBe(true);
    expect(clipped([[0], [0]], 1)).toEqual([[0], [0]]);
    expect(clipped([], 1)).toEqual([]);
  });
});

describe('schedules', () => {
  it('warm up linearly to the full rate', () => {
    const schedule = constant(0.8, { warmupSteps: 4 });
    expect([0, 1, 2, 3, 4, 100].map(schedule)).toEqual([0.2, 0.4, 0.6000000000000001, 0.8, 0.8, 0.8]);
    expect(constant(0.8)(0)).toBe(0.8);
  });

  it('fall by half a cosine to the final rate', () => {
    const schedule = cosine(1, 12, { warmupSteps: 2, finalLearningRate: 0.2 });
    expect(schedule(0)).toBe(0.5);
    expect(schedule(2)).toBe(1);
    expect(schedule(7)).toBeCloseTo(0.6, 12);
    expect(schedule(12)).toBeCloseTo(0.2, 12);
    expect(schedule(50)).toBeCloseTo(0.2, 12);
    const rates = Array.from({ length: 10 }, (_, step) => schedule(step + 2));
    expect([...rates].sort((a, b) => b - a)).toEqual(rates);
  });

  it('stay finite when all steps are warm-up', () => {
    expect(cosine(1, 2, { warmupSteps: 2 })(2)).toBe(1);
    expect(cosine(1, 0)(0)).toBe(1);
  });
});
