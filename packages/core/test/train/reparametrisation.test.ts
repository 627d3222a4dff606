import { type Tensor1D, add, memory, mul, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import {
  type Reparametrisation,
  adamw,
  applied,
  constant,
  disposeTree,
  inTurn,
  maskFrom,
  runPhase,
  train,
  trainingBatches,
  unchanged,
  weightMasks,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Line, flatLine, points, regression } from './regression';

/** Multiplies the weight by a constant; says how many constants it has made. */
function scaledBy(factor: number): Reparametrisation<Line, { factor: Tensor1D }> & { made(): number } {
  let made = 0;
  return {
    made: () => made,
    init: () => {
      made += 1;
      return { factor: tensor1d([factor]) };
    },
    apply: ({ weight, bias }, constants) => ({ weight: mul(weight, constants.factor), bias }),
  };
}

const training = (line: Line, reparametrisation: Reparametrisation<Line>, steps = 60) => ({
  params: line,
  state: {},
  task: regression,
  objective: (params: Line) => ({ params }),
  reparametrisation,
  optimizer: adamw<Line>({ schedule: constant(0.1) }),
  batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
  steps,
});

describeOnEveryEngine('a reparametrisation', () => {
  let before: number;
  let line: Line;
  beforeEach(() => {
    before = memory().numTensors;
    line = flatLine();
  });
  afterEach(() => {
    disposeTree(line);
    expect(memory().numTensors).toBe(before);
  });

  it('stands between what is trained and what runs, its constants made once and disposed', async () => {
    const half = scaledBy(0.5);
    const { params } = await train(training(line, half));
    // y = 2x − 1 is learned by what runs.
    expect((await params.weight.data())[0]).toBeCloseTo(4, 0);
    expect(half.made()).toBe(1);
    disposeTree(params);
  });

  it('gives its constants back when a step fails', async () => {
    const broken: Reparametrisation<Line, { factor: Tensor1D }> = {
      ...scaledBy(1),
      apply: () => {
        throw new Error('on purpose');
      },
    };
    await expect(train(training(line, broken))).rejects.toThrow('on purpose');
  });

  it('is what milestones are scored with', async () => {
    const seen: number[] = [];
    const runner = {
      store: {
        load: () => Promise.resolve(undefined),
        save: () => Promise.resolve(),
        remove: () => Promise.resolve(),
      },
      checkpointEvery: 100,
      report: () => undefined,
    };
    const { params } = await runPhase(runner, 'fit', training(line, scaledBy(0), 2), {
      trainingMacsPerExample: 1,
      milestones: {
        at: [1],
        score: async (running) => {
          seen.push(...(await (running as Line).weight.data()));
          return {};
        },
      },
    });
    expect(seen).toEqual([0]);
    disposeTree(params);
  });

  it('is applied in turn with others, the first to what is stored', () => {
    const raised: Reparametrisation<Line> = {
      init: () => ({}),
      apply: ({ weight, bias }) => ({ weight: add(weight, 1), bias }),
    };
    const weightOf = (reparametrisation: Reparametrisation<Line>): number | undefined =>
      tidy(() => applied(reparametrisation, { ...line, weight: tensor2d([3], [1, 1]) }).weight.dataSync()[0]);
    expect(weightOf(unchanged())).toBe(3);
    expect(weightOf(inTurn(scaledBy(2), raised))).toBe(7);
    expect(weightOf(inTurn(raised, scaledBy(2)))).toBe(8);
  });

  it('of masks needs every parameter that it masks', () => {
    const masks = weightMasks<Line>({ slope: maskFrom([0], [1, 1]) });
    expect(() => tidy(() => applied(masks, line))).toThrow(/there is no parameter slope to mask/);
  });
});
