import { type Tensor, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { type Logits, logitDistillation, logitsOf } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const own = [1, -2, 0.5, 0, 3, -1];
const taught = [0, 1, 2, -1, 0, 0.5];
const states = [1, 2, 3, 4];

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

const matrix = (values: readonly number[], columns: number): Tensor2D =>
  tensor2d([...values], [values.length / columns, columns]);

/** The loss of a student with logits and states beside a teacher. */
const lossBeside = (teacher: () => Logits): number =>
  tidy(
    () =>
      logitDistillation(
        { logits: matrix(own, 3), states: matrix(states, 2) },
        teacher(),
      ).dataSync<'float32'>()[0] ?? Number.NaN,
  );

describeOnEveryEngine('distillation by logits', () => {
  it('is the entropy of the prediction, and no distance, where student and teacher agree', () => {
    const same = () => ({ logits: matrix(own, 3), states: matrix(states, 2) });
    expect(lossBeside(same)).toBeCloseTo(crossEntropy(own, own), 5);
  });

  it('adds cross-entropy and the mean squared distance of embeddings', () => {
    const teacher = () => ({ logits: matrix(taught, 3), states: matrix([1, 0, 3, 7], 2) });
    const distance = (4 + 9) / 2; // rows (0, 2) and (0, 3)
    expect(lossBeside(teacher)).toBeCloseTo(crossEntropy(own, taught) + distance, 4);
  });

  it.each<[string, () => Record<string, Tensor>]>([
    ['of another width', () => ({ states: matrix([9], 1) })],
    ['that the student does not have', () => ({ tokens: matrix([9], 1) })],
    ['that are not there', () => ({})],
  ])('leaves out embeddings %s', (_what, embeddings) => {
    expect(lossBeside(() => ({ logits: matrix(taught, 3), ...embeddings() }))).toBeCloseTo(
      crossEntropy(own, taught),
      5,
    );
  });
});

describe('logits of a prediction', () => {
  it('are refused where there are none, or not one row for each example', () => {
    tidy(() => {
      expect(() => logitsOf({ boxes: matrix(own, 3) })).toThrow(
        /expected logits of two axes, .* boxes \[2, 3\]/,
      );
      expect(() => logitsOf({ logits: tensor1d(own) })).toThrow(RangeError);
      expect(Object.keys(logitsOf({ logits: matrix(own, 3), states: matrix(own, 3) }))).toEqual([
        'logits',
        'states',
      ]);
    });
  });
});
