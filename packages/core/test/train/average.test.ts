import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { disposeTree, tidyTree, weightAverage } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const line = (weight: number, bias: number) => ({
  weight: tensor2d([weight], [1, 1]),
  bias: tensor1d([bias]),
});
const number = fc.double({ min: -5, max: 5, noNaN: true });

describeOnEveryEngine('an average of weights', () => {
  it('is the sum of all weights, each with what the decay leaves of it, and moves no weight', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number), { minLength: 2, maxLength: 12 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (weights, decay) => {
          let expected = weights[0] ?? [0, 0];
          const told: number[][] = [];
          tidyTree(() => {
            const start = line(...expected);
            const averaging = weightAverage(start, decay);
            let { state } = averaging;
            weights.slice(1).forEach((next, step) => {
              const params = line(...next);
              const moved = averaging.afterStep({ step, params, gradients: params, state });
              expect(moved.params).toBe(params);
              state = moved.state;
              const kept = Math.min(decay, (2 + step) / (11 + step));
              expected = [
                expected[0] * kept + next[0] * (1 - kept),
                expected[1] * kept + next[1] * (1 - kept),
              ];
            });
            told.push([...state.average.weight.dataSync(), ...state.average.bias.dataSync()]);
            return {};
          });
          const [found = []] = told;
          expected.forEach((value, index) => expect(found[index]).toBeCloseTo(value, 5));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('of no decay is the weights themselves', () => {
    const start = line(1, 2);
    const next = line(3, 4);
    const { state, afterStep } = weightAverage(start, 0);
    const moved = tidyTree(() => afterStep({ step: 0, params: next, gradients: next, state }).state);
    expect([...moved.average.weight.dataSync(), ...moved.average.bias.dataSync()]).toEqual([3, 4]);
    disposeTree([start, next, moved]);
  });
});
