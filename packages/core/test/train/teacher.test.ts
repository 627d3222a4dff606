import {
  type Scalar,
  type Tensor2D,
  grad,
  memory,
  mul,
  sub,
  sum,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { type Task, type Teacher, constant, disposeTree, sgd, train } from '../../src/index';
import { isDifferentiating } from '../../src/operations/kernel';
import { lossBeside } from '../../src/train/teacher';
import { describeOnEveryEngine } from '../engine/every-engine';

type Point = { x: Tensor2D };

/** Predicts its parameters; the loss is 5·Σx, and beside a teacher it is Σ(x·x'). */
const task: Task<Point, number, { logits: Tensor2D }> = {
  name: 'sum',
  metric: 'none',
  predict: ({ x }) => ({ logits: mul<Tensor2D>(x, 1) }),
  loss: ({ logits }) => mul<Scalar>(sum<Scalar>(logits), 5),
  divergence: (one, other) => sum<Scalar>(sub(one.logits, other.logits)),
  distillation: (student, teacher) => sum<Scalar>(mul(student.logits, teacher.logits)),
  scorer: () => ({ add: () => undefined, scores: () => ({ none: 1 }) }),
};
const batches = { batchSize: 1, stepsPerEpoch: 1, at: (step: number) => Promise.resolve(step) };
const start = [2, -3];

/** Parameters after steps of plain descent, as far as they moved. */
async function moved(teacher: Teacher<number> | undefined, steps = 1): Promise<number[]> {
  const before = memory().numTensors;
  const params = { x: tensor2d(start, [1, 2]) };
  const trained = await train<Point, Point, Record<string, never>, number>({
    params,
    state: {},
    task,
    ...(teacher === undefined ? {} : { teacher }),
    objective: (tree) => ({ params: tree }),
    optimizer: sgd<Point>({ schedule: constant(1) }),
    batches,
    steps,
  }).finally(() => disposeTree(params));
  const values = [...trained.params.x.dataSync()];
  disposeTree(trained.params);
  expect(memory().numTensors).toBe(before);
  return values.map((value, i) => (start[i] ?? Number.NaN) - value);
}

const teacherOf = (weight: number, predict: Teacher<number>['predict'] = () => known()): Teacher<number> => ({
  weight,
  predict,
});
const known = (): { logits: Tensor2D } => ({ logits: tensor2d([7, 11], [1, 2]) });

describeOnEveryEngine('training beside a teacher', () => {
  it('follows the task and the teacher in the share asked for', async () => {
    expect(await moved(undefined)).toEqual([5, 5]);
    expect(await moved(teacherOf(0))).toEqual([5, 5]);
    expect(await moved(teacherOf(1))).toEqual([7, 11]);
    expect(await moved(teacherOf(0.25))).toEqual([0.75 * 5 + 0.25 * 7, 0.75 * 5 + 0.25 * 11]);
  });

  it('asks the teacher once for each batch, and records nothing of it', async () => {
    const asked: [number, boolean][] = [];
    await moved(
      teacherOf(0.5, (batch) => {
        asked.push([batch, isDifferentiating()]);
        return known();
      }),
      3,
    );
    expect(asked).toEqual([
      [0, false],
      [1, false],
      [2, false],
    ]);
  });

  it('gives the teacher no gradient, even where it shares its tensors with the student', () => {
    const before = memory().numTensors;
    const slope = tidy(() => {
      const x = tensor2d(start, [1, 2]);
      const lossOf = lossBeside(
        teacherOf(1, () => ({ logits: mul<Tensor2D>(x, 3) })),
        task,
        0,
      );
      return [...grad((logits) => lossOf({ logits }))(x).dataSync()];
    });
    expect(slope).toEqual([3 * 2, 3 * -3]); // d/dx Σ x·3x' with x' held
    expect(memory().numTensors).toBe(before);
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses a weight of %d', async (weight) => {
    await expect(moved(teacherOf(weight))).rejects.toThrow(RangeError);
    await expect(moved(teacherOf(weight))).rejects.toThrow(/from 0 to 1, got/);
  });
});
