import { type Tensor2D, argMax, memory, mul, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { type Task, disposeTree, evaluate } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

type Table = { logits: Tensor2D };

/** Says which column of its parameters is greatest, and is right where that is the batch's number. */
const telling: Task<Table, number, Table, readonly number[]> = {
  name: 'telling',
  metric: 'right',
  predict: ({ logits }) => ({ logits: mul(logits, 1) }),
  loss: ({ logits }) => mul(logits.sum(), 1),
  divergence: (one, other) => mul(one.logits.sub(other.logits).square().sum(), 1),
  distillation: (student, teacher) => mul(student.logits.sub(teacher.logits).square().sum(), 1),
  // A search looks again at what it has found: it downloads in between.
  answer: async ({ logits }) => {
    const best = tidy(() => argMax(logits, 1));
    const found = [...(await best.data())];
    best.dispose();
    return found;
  },
  scorer: () => {
    const answers: number[] = [];
    let right = 0;
    return {
      add: async (answer, wanted) => {
        await Promise.resolve();
        answers.push(...answer);
        right += answer.filter((one) => one === wanted).length;
      },
      scores: () => ({ right: (100 * right) / answers.length, answers: answers.length }),
    };
  },
};

describeOnEveryEngine('evaluation', () => {
  it('scores what a task answers over all batches, in their order', async () => {
    const before = memory().numTensors;
    const params = { logits: tensor2d([0, 1, 2, 5, 4, 3], [2, 3]) };
    async function* batches() {
      yield* [0, 2, 1].map((wanted) => Promise.resolve(wanted));
    }
    expect(await evaluate(telling, params, batches())).toEqual({ right: 100 / 3, answers: 6 });
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
  });

  it('leaves no prediction behind when its scorer fails', async () => {
    const before = memory().numTensors;
    const params = { logits: tensor2d([1, 2], [1, 2]) };
    const { answer: _answer, ...predicting } = telling;
    const failing: Task<Table, number> = {
      ...predicting,
      scorer: () => ({
        add: () => {
          throw new Error('cannot score');
        },
        scores: () => ({}),
      }),
    };
    async function* batches() {
      yield Promise.resolve(0);
    }
    await expect(evaluate(failing, params, batches())).rejects.toThrow('cannot score');
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
  });
});
