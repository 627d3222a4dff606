import { type Tensor1D, add, memory, mul, scalar, square, sum, tensor1d } from '@tensorflow/tfjs-core';
import {
  type AdamWState,
  InterruptedError,
  type TensorTree,
  type Training,
  type TrainingPoint,
  UserError,
  adamw,
  cloneTree,
  constant,
  disposeTree,
  downloadTree,
  evaluate,
  evaluationBatches,
  only,
  sgd,
  train,
  trainingBatches,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Line, type Points, flatLine, points, regression } from './regression';

type LineTraining = Training<Line, Line, TensorTree, Points>;

const training = (params: Line, changes: Partial<LineTraining> = {}): LineTraining => ({
  params,
  state: {},
  task: regression,
  objective: (line) => ({ params: line }),
  optimizer: adamw({ schedule: constant(0.1) }),
  batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
  steps: 60,
  ...changes,
});

describeOnEveryEngine('the trainer', () => {
  /** Runs the test's part that owns tensors, and checks that none is left. */
  const withoutLeaks = async (body: (line: Line) => Promise<void>) => {
    const before = memory().numTensors;
    const line = flatLine();
    await body(line);
    disposeTree(line);
    expect(memory().numTensors).toBe(before);
  };

  it('learns, reports every step, and leaves what it was given', () =>
    withoutLeaks(async (line) => {
      const losses: number[] = [];
      const trained = await train(training(line), { onStep: ({ loss }) => losses.push(loss) });
      expect(losses).toHaveLength(60);
      expect(losses.at(-1)).toBeLessThan(0.02 * (losses[0] ?? 0));
      const scores = await evaluate(regression, trained.params, evaluationBatches(points, 7));
      expect(scores['count']).toBe(24);
      expect(scores['accuracy']).toBeGreaterThan(-0.2);
      expect([...(await line.weight.data())]).toEqual([0]);
      disposeTree(trained.params);
    }));

  it('gives back a copy when there is nothing to do', () =>
    withoutLeaks(async (line) => {
      const trained = await train(training(line, { steps: 0 }));
      disposeTree(trained.params);
      expect(line.weight.isDisposed).toBe(false);
    }));

  it('stops when the loss is no longer a number', () =>
    withoutLeaks(async (line) => {
      const diverging = train(training(line, { optimizer: sgd<Line>({ schedule: constant(1e10) }) }));
      await expect(diverging).rejects.toThrow(UserError);
      await expect(diverging).rejects.toThrow(
        /the loss became (NaN|Infinity) at step \d+: lower the learning rate/,
      );
    }));

  it('stops at the step that leaves a parameter without a number, be it the last', () =>
    withoutLeaks(async (line) => {
      const points: number[] = [];
      // 1/(1 − β₁) of it is more than float32 holds.
      const overflowing = train(
        training(line, { steps: 1, optimizer: adamw({ schedule: constant(1e38) }) }),
        {
          onPoint: ({ step }) => {
            points.push(step);
            return Promise.resolve();
          },
        },
      );
      await expect(overflowing).rejects.toThrow(UserError);
      await expect(overflowing).rejects.toThrow(
        /^weight holds (NaN|-?Infinity) after step 0: lower the learning rate or clip the gradients$/,
      );
      expect(points).toEqual([]);
    }));

  type Wider = { line: Line; idle: Tensor1D };
  /** Trains a line beside a parameter that moves nothing. */
  const beside = (params: Wider): Training<Wider, Line, TensorTree, Points> => {
    const { state, task, batches } = training(params.line);
    return {
      ...{ params, state, task, batches, steps: 4 },
      objective: ({ line, idle }) => ({ params: line, penalty: () => sum(mul(idle, 0)) }),
      optimizer: sgd<Wider>({ schedule: constant(0.01) }),
    };
  };

  it('finds at once what a method leaves in a parameter', () =>
    withoutLeaks(async (line) => {
      const params = { line, idle: tensor1d([1, 2]) };
      const broken = train<Wider, Line, TensorTree, Points>({
        ...beside(params),
        afterStep: ({ step, params, state }) => ({
          params: step < 2 ? params : { ...params, idle: tensor1d([1, -Infinity]) },
          state,
        }),
      });
      await expect(broken).rejects.toThrow(/^idle holds -Infinity after step 2: /);
      params.idle.dispose();
    }));

  it('goes on with parameters whose sum alone is beyond float32', () =>
    withoutLeaks(async (line) => {
      const params = { line, idle: tensor1d([3e38, 3e38]) };
      const trained = await train(beside(params));
      disposeTree(trained.params);
      params.idle.dispose();
    }));

  it('passes on what goes wrong in the data', () =>
    withoutLeaks(async (line) => {
      const batches = training(line).batches;
      const unreadable = {
        ...batches,
        at: (step: number) => (step < 3 ? batches.at(step) : Promise.reject(new Error('unreadable'))),
      };
      await expect(train(training(line, { batches: unreadable }))).rejects.toThrow('unreadable');
    }));

  it('leaves frozen leaves as they are', () =>
    withoutLeaks(async (line) => {
      const optimizer = only<Line, AdamWState<Line>>(
        adamw<Line>({ schedule: constant(0.1) }),
        (path) => path !== 'bias',
      );
      const trained = await train(training(line, { optimizer, steps: 5 }));
      expect([...(await trained.params.bias.data())]).toEqual([0]);
      expect([...(await trained.params.weight.data())]).not.toEqual([0]);
      disposeTree(trained.params);
    }));

  it('adds the penalty and lets a method move parameters and its own state', () =>
    withoutLeaks(async (line) => {
      const steps: number[] = [];
      const state = { seen: scalar(0) };
      const trained = await train<Line, Line, typeof state, Points>({
        ...training(line),
        state,
        steps: 4,
        optimizer: sgd<Line>({ schedule: constant(0) }),
        objective: (params) => ({ params, penalty: () => sum(square(add(params.weight, 1))) }),
        afterStep: ({ step, params, gradients, state: { seen } }) => {
          steps.push(step);
          return {
            params: { ...params, bias: tensor1d([step]) },
            state: { seen: add(seen, sum(gradients.weight)) },
          };
        },
      });
      expect(steps).toEqual([0, 1, 2, 3]);
      expect([...(await trained.params.bias.data())]).toEqual([3]);
      // The task's own gradient at the first step, plus 2 from the penalty in each of the four.
      const bare = { seen: scalar(0) };
      const plain = await train<Line, Line, typeof bare, Points>({
        ...training(line),
        state: bare,
        steps: 4,
        optimizer: sgd<Line>({ schedule: constant(0) }),
        afterStep: ({ step, params, gradients, state: { seen } }) => ({
          params: { ...params, bias: tensor1d([step]) },
          state: { seen: add(seen, sum(gradients.weight)) },
        }),
      });
      const [withPenalty] = await trained.state.seen.data();
      const [without] = await plain.state.seen.data();
      expect((withPenalty ?? 0) - (without ?? 0)).toBeCloseTo(8, 4);
      for (const tree of [trained.params, trained.state, plain.params, plain.state, state, bare])
        disposeTree(tree);
    }));

  it('sees the forward parameters that a method makes', () =>
    withoutLeaks(async (line) => {
      const seen: boolean[] = [];
      const doubled = (params: Line): Line => ({ ...params, weight: mul(params.weight, 2) });
      const task = {
        ...regression,
        predict: (params: Line, batch: Points) => {
          seen.push(params.weight === line.weight);
          return regression.predict(params, batch);
        },
      };
      const objective = (params: Line) => ({ params: doubled(params) });
      const trained = await train(training(line, { objective, task, steps: 60 }));
      expect((await trained.params.weight.data())[0]).toBeCloseTo(1, 0.5);
      expect(new Set(seen)).toEqual(new Set([false]));
      disposeTree(trained.params);
    }));

  it('stops on a signal after showing the last point', () =>
    withoutLeaks(async (line) => {
      const stop = new AbortController();
      const shown: [number, boolean][] = [];
      const stopped = train(training(line), {
        signal: stop.signal,
        onStep: ({ step }) => {
          if (step === 6) stop.abort();
        },
        onPoint: ({ step }, stopping) => {
          shown.push([step, stopping]);
          return Promise.resolve();
        },
      });
      await expect(stopped).rejects.toThrow(InterruptedError);
      expect(shown.at(-1)).toEqual([7, true]);
      expect(shown.filter(([, stopping]) => stopping)).toHaveLength(1);
    }));

  it('goes on from any point to the same bytes', () =>
    withoutLeaks(async (line) => {
      const copies: TrainingPoint<Line, TensorTree>[] = [];
      const whole = await train(training(line, { steps: 12 }), {
        onPoint: (point) => {
          if (point.step % 5 !== 0) return Promise.resolve();
          const { step, params, optimizer, state } = point;
          copies.push({
            step,
            params: cloneTree(params),
            optimizer: cloneTree(optimizer),
            state: cloneTree(state),
          });
          return Promise.resolve();
        },
      });
      const expected = await downloadTree(whole.params);
      disposeTree(whole.params);
      expect(copies.map(({ step }) => step)).toEqual([5, 10]);
      for (const from of copies) {
        const resumed = await train(training(line, { steps: 12 }), { from });
        expect(await downloadTree(resumed.params)).toEqual(expected);
        disposeTree(resumed.params);
      }
    }));
});
