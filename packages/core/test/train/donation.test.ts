import { type Tensor, cast, memory, randomNormal, slice, tidy, transpose } from '@tensorflow/tfjs-core';
import {
  type TensorTree,
  type Training,
  adamw,
  constant,
  disposeTree,
  leavesOf,
  mapTree,
  train,
  trainingBatches,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Line, type Points, flatLine, points, regression } from './regression';

type Held = { held: Line };

/** Ways in which a method may hold the parameters of one step in the next; engines need not copy for any of them. */
const ways: Readonly<Record<string, (line: Line) => Line>> = {
  'the very tensors': (line) => line,
  clones: (line) => mapTree(line, (leaf) => leaf.clone()),
  'whole slices': (line) => mapTree(line, (leaf) => slice(leaf, 0, leaf.shape[0])),
  casts: (line) => mapTree(line, (leaf) => cast(leaf, 'float32')),
  transposes: (line) => mapTree(line, (leaf) => transpose(leaf)),
};

const valuesOf = (tree: TensorTree): number[][] => leavesOf(tree).map((leaf) => [...leaf.dataSync()]);

describeOnEveryEngine('a trainer that gives its tensors up', () => {
  it.each(Object.entries(ways))('leaves what a method holds, and its caller: %s', async (_, hold) => {
    const before = memory().numTensors;
    const line = flatLine();
    const state: Held = { held: flatLine() };
    let expected = valuesOf(line);
    const training: Training<Line, Line, Held, Points> = {
      params: line,
      state,
      task: regression,
      objective: (params) => ({ params }),
      optimizer: adamw({ schedule: constant(0.1) }),
      batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
      steps: 5,
      afterStep: ({ params, state: { held } }) => {
        expect(valuesOf(held)).toEqual(expected);
        expected = valuesOf(params);
        return { params, state: { held: hold(params) } };
      },
    };
    const trained = await train(training);
    expect(valuesOf(line)).toEqual([[0], [0]]);
    for (const tree of [trained.params, trained.state, state, line]) disposeTree(tree);
    expect(memory().numTensors).toBe(before);
  });

  it('gives the numbers of a step that keeps its inputs', () => {
    const optimizer = adamw<Record<string, Tensor>>({ schedule: constant(0.01), weightDecay: 0.1 });
    const steps = (donated: boolean): number[][] =>
      tidy(() => {
        const like = (seed: number): Record<string, Tensor> => ({
          matrix: randomNormal([17, 9], 0, 1, 'float32', seed),
          vector: randomNormal([5], 0, 1, 'float32', seed + 1),
          number: randomNormal([], 0, 1, 'float32', seed + 2),
        });
        let params = like(1);
        let state = optimizer.init(params);
        for (let step = 0; step < 4; step++) {
          ({ params, state } = optimizer.update({ params, gradients: like(step + 7), state, step, donated }));
        }
        return [...valuesOf(params), ...valuesOf(state)];
      });
    expect(steps(true)).toEqual(steps(false));
  });
});
