import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  grad,
  memory,
  mul,
  reshape,
  slice,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  type ImageBatch,
  type Prediction,
  type Task,
  type Teacher,
  distilled,
  disposeTree,
  tidyTree,
} from '../../src/index';
import { isDifferentiating } from '../../src/operations/kernel';
import { describeOnEveryEngine } from '../engine/every-engine';

type Params = { logits: Tensor2D; states: Tensor2D };

/** A model that predicts its parameters, and a loss of 5 times the first logit. */
const task: Task<Params, ImageBatch> = {
  name: 'first-logit',
  metric: 'none',
  predict: ({ logits, states }) => ({ logits: mul<Tensor2D>(logits, 1), states: mul(states, 1) }),
  loss: ({ logits }) => mul<Scalar>(reshape(slice(logits, [0, 0], [1, 1]), []), 5),
  scorer: () => ({ add: () => undefined, scores: () => ({ none: 1 }) }),
};
const batch: ImageBatch = { size: 2, images: new Float32Array(2), labels: new Int32Array(2) };

const student = (): Params => ({
  logits: tensor2d([1, -2, 0.5, 0, 3, -1], [2, 3]),
  states: tensor2d([1, 2, 3, 4], [2, 2]),
});
const teacherOf = (predict: () => Prediction): Teacher<ImageBatch> => ({ predict });

const softmaxed = (row: readonly number[]): number[] => {
  const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return row.map((logit) => Math.exp(logit) / total);
};

/** Cross-entropy of predictions with logits `own` to those with logits `taught`, row by row of 3, in the mean. */
function crossEntropy(own: readonly number[], taught: readonly number[]): number {
  const rows = [0, 1].map((row) => {
    const [p, q] = [taught, own].map((logits) => softmaxed(logits.slice(3 * row, 3 * row + 3)));
    return (p ?? []).reduce((sum, probability, i) => sum - probability * Math.log(q?.[i] ?? Number.NaN), 0);
  });
  return ((rows[0] ?? Number.NaN) + (rows[1] ?? Number.NaN)) / 2;
}

const own = [1, -2, 0.5, 0, 3, -1];
const taught = [0, 1, 2, -1, 0, 0.5];

describeOnEveryEngine('a distilled task', () => {
  const lossOf = (teacher: Teacher<ImageBatch>, weight: number): number => {
    const before = memory().numTensors;
    const value = tidy(() => {
      const params = student();
      const both = distilled(task, teacher, weight);
      return both.loss(both.predict(params, batch), batch).dataSync<'float32'>()[0] ?? Number.NaN;
    });
    expect(memory().numTensors).toBe(before);
    return value;
  };
  const other = teacherOf(() => ({
    logits: tensor2d(taught, [2, 3]),
    states: tensor2d([1, 0, 3, 7], [2, 2]),
  }));

  it('is the task alone at weight 0', () => {
    expect(lossOf(other, 0)).toBeCloseTo(5, 6);
  });

  it('is the entropy of its prediction, and no distance, where student and teacher agree at weight 1', () => {
    expect(lossOf(teacherOf(student), 1)).toBeCloseTo(crossEntropy(own, own), 5);
  });

  it('adds cross-entropy and the mean squared distance of embeddings, in the share asked for', () => {
    const distance = (4 + 9) / 2; // rows (0, 2) and (0, 3)
    const teaching = crossEntropy(own, taught) + distance;
    expect(lossOf(other, 1)).toBeCloseTo(teaching, 4);
    expect(lossOf(other, 0.25)).toBeCloseTo(0.75 * 5 + 0.25 * teaching, 4);
  });

  it.each<[string, () => Prediction]>([
    ['of another width', () => ({ logits: tensor2d(taught, [2, 3]), states: tensor2d([9], [1, 1]) })],
    [
      'that the student does not have',
      () => ({ logits: tensor2d(taught, [2, 3]), tokens: tensor2d([9], [1, 1]) }),
    ],
    ['that are not there', () => ({ logits: tensor2d(taught, [2, 3]) })],
  ])('leaves out embeddings %s', (_what, predict) => {
    expect(lossOf(teacherOf(predict), 1)).toBeCloseTo(crossEntropy(own, taught), 5);
  });

  it('asks the teacher once for each loss, for the same batch, and records nothing of it', () => {
    const asked: ImageBatch[] = [];
    let recorded = false;
    const teacher: Teacher<ImageBatch> = {
      predict: (asking) => {
        asked.push(asking);
        recorded ||= isDifferentiating();
        return other.predict(asking);
      },
    };
    const both = distilled(task, teacher, 0.5);
    tidy(() => {
      const { logits, states } = student();
      grad((x: Tensor) => both.loss(both.predict({ logits: x as Tensor2D, states }, batch), batch))(logits);
    });
    expect(asked).toEqual([batch]);
    expect(asked[0]).toBe(batch);
    expect(recorded).toBe(false);
  });

  it('gives the teacher no gradient, even where it shares its tensors with the student', () => {
    const before = memory().numTensors;
    const params = student();
    const gradientOf = (teacher: Teacher<ImageBatch>): number[] =>
      tidy(() => {
        const both = distilled(task, teacher, 1);
        const loss = (states: Tensor) =>
          both.loss(both.predict({ ...params, states: states as Tensor2D }, batch), batch);
        return [...grad(loss)(params.states).dataSync()];
      });
    const of = (states: Tensor2D): Prediction => ({
      logits: mul<Tensor2D>(params.logits, 2),
      states: mul(states, 3),
    });
    const apart = params.states.clone();
    // d/dx mean |x − 3x'|² with x' held: 2·(x − 3x)/2 rows
    const expected = [1, 2, 3, 4].map((x) => x - 3 * x);
    expect(gradientOf(teacherOf(() => of(apart)))).toEqual(expected);
    expect(gradientOf(teacherOf(() => of(params.states)))).toEqual(expected);
    disposeTree([params, apart]);
    expect(memory().numTensors).toBe(before);
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses a weight of %d', (weight) => {
    expect(() => distilled(task, other, weight)).toThrow(RangeError);
    expect(() => distilled(task, other, weight)).toThrow(/from 0 to 1, got/);
  });

  it('keeps the name, the metric and the scores of its task', () => {
    const both = distilled(task, other, 0.5);
    expect([both.name, both.metric]).toEqual([task.name, task.metric]);
    expect(both.scorer().scores()).toEqual({ none: 1 });
    tidyTree(() => {
      expect([...both.predict(student(), batch).logits.dataSync()]).toEqual(own);
    });
  });
});
