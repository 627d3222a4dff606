import {
  type Adversary,
  type Task,
  type TensorTree,
  adamw,
  constant,
  disposeTree,
  entriesOf,
  masked,
  maskFrom,
  prunableMatrices,
  tidyTree,
  train,
  trainingBatches,
  zeroed,
} from '@winnow/core';
import { memory } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import { type TinyKind, dualEncoders, visionTransformers } from '../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

const adversaryAt = (...places: Adversary['places'][number][]): Adversary => ({
  places,
  steps: 3,
  stepSize: 1e-3,
  divergence: 1.5,
});

async function losses(kind: TinyKind, task: Task, params: TensorTree, adversary?: Adversary) {
  const values: number[] = [];
  const trained = await train(
    {
      params,
      state: {},
      task,
      ...(adversary === undefined ? {} : { adversary }),
      objective: (tree: TensorTree) => ({ params: tree }),
      optimizer: adamw<TensorTree>({ schedule: constant(3e-3), weightDecay: 0.05 }),
      batches: trainingBatches(kind.data.train, { batchSize: 8, seed: 1, augment: true }),
      steps: 12,
    },
    { onStep: ({ loss }) => values.push(loss) },
  );
  return { values, params: trained.params };
}

describe.each([
  ['a classifier, its patches', visionTransformers, adversaryAt('patches')],
  ['a dual encoder, its words', dualEncoders, adversaryAt('words')],
  ['a dual encoder, both', dualEncoders, adversaryAt('patches', 'words')],
] as const)('training against an adversary of %s', (_what, kind, adversary) => {
  it('learns, and what it learns is something else than without', async () => {
    const before = memory().numTensors;
    const { model, params } = kind.makeModel();
    const plain = await losses(kind, kind.taskOf(model), params);
    const adversarial = await losses(kind, kind.taskOf(model), params, adversary);
    expect(adversarial.values.at(-1)).toBeLessThan(adversarial.values[0] ?? 0);
    expect(adversarial.values).not.toEqual(plain.values);
    disposeTree([params, plain.params, adversarial.params]);
    expect(memory().numTensors).toBe(before);
  });

  it('leaves the zeros of a mask alone', async () => {
    const { model, params } = kind.makeModel();
    const masks = Object.fromEntries(
      prunableMatrices(model).map(({ parameter, shape: [rows, columns] }) => [
        parameter,
        maskFrom(
          Array.from({ length: rows * columns }, (_, i) => i % 2),
          [rows, columns],
        ),
      ]),
    );
    const start = tidyTree((): TensorTree => zeroed(params, masks));
    const task = kind.taskOf(masked<TensorTree, unknown>(model, masks));
    const { params: trained } = await losses(kind, task, start, adversary);
    for (const [path, leaf] of entriesOf(trained)) {
      if (masks[path] === undefined) continue;
      leaf.dataSync<'float32'>().forEach((weight, i) => {
        if (i % 2 === 0) expect(Object.is(weight, 0)).toBe(true);
      });
    }
    disposeTree([params, start, trained]);
  });
});

it('a classifier has no words to perturb', async () => {
  const { model, params } = visionTransformers.makeModel();
  const task = visionTransformers.taskOf(model);
  await expect(losses(visionTransformers, task, params, adversaryAt('words'))).rejects.toThrow(/no words/);
  disposeTree(params);
});
