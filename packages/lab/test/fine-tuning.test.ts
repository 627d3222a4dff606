import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';
import { z } from 'zod';
import { type GivenOptions, RunStoppedError, train } from '../src/index';
import { stoppedAt } from './stopping';

const root = await mkdtemp(join(tmpdir(), 'winnow-fine-tuning-'));
const at = (...path: string[]) => join(root, ...path);

const common: GivenOptions = {
  data: at('pictures'),
  batchSize: 4,
  evaluateEvery: '0it',
  checkpointEvery: '1it',
  engine: 'wasm',
};
const fineTuned = (out: string, more: GivenOptions) =>
  train({ ...common, from: at('dense'), out: at(out), ...more });

beforeAll(async () => {
  await makePictures(at('pictures'));
  const shape = { imageSize: 16, patchSize: 8 };
  await train({ ...common, ...shape, duration: '2it', out: at('dense') });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const weightsOf = async (out: string) => {
  const { tensors } = await readSafetensors(at(out, 'model', 'model.safetensors'));
  return new Map([...tensors].map(([name, { values }]) => [name, [...values]]));
};
const bytes = (out: string) => readFileSync(at(out, 'model', 'model.safetensors'));
const optionsOf = (out: string) =>
  z
    .object({ options: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readFileSync(at(out, 'config.json'), 'utf8'))).options;

/** Stops a run in a phase after a step, goes on with it, and tells whether it ends in the bytes of `whole`. */
async function resumes(
  out: string,
  more: GivenOptions,
  where: { phase: string; step: number },
): Promise<boolean> {
  const options = { ...common, from: at('dense'), out: at(`${out}-stopped`), ...more };
  await expect(train(options, stoppedAt(where))).rejects.toThrow(RunStoppedError);
  await train({ out: at(`${out}-stopped`) }, { resume: true });
  const isSame = bytes(out).equals(bytes(`${out}-stopped`));
  rmSync(at(`${out}-stopped`), { recursive: true });
  return isSame;
}

describe('a frozen backbone', () => {
  test('leaves all but the head as it was, and costs one forward pass and the head', async () => {
    const { summary } = await fineTuned('head', { freezeBackbone: '3it', duration: '0it' });
    const dense = await weightsOf('dense');
    for (const [name, values] of await weightsOf('head')) {
      const isSame = JSON.stringify(values) === JSON.stringify(dense.get(name));
      expect([name, isSame]).toEqual([name, !name.startsWith('head.')]);
    }
    const [head, all] = summary.ledger;
    const { macs } = summary.model;
    expect([head?.phase, head?.steps, all?.steps]).toEqual(['head', 3, 0]);
    const perExample = (head?.trainingMacs ?? 0) / (head?.examples ?? 0);
    expect(perExample).toBeGreaterThan(macs);
    expect(perExample).toBeLessThan(1.1 * macs);
  });

  test('of less than a step is refused: nothing would be frozen', async () => {
    await expect(fineTuned('none', { freezeBackbone: '0.01ep', duration: '1it' })).rejects.toThrow(
      /freezeBackbone: 0\.01ep is less than one step/,
    );
  });

  test('is followed by the whole training, and both go on after a stop', async () => {
    const more = { freezeBackbone: '3it', headLearningRate: 0.01, duration: '4it', layerDecay: 0.75 };
    const { summary } = await fineTuned('frozen', more);
    expect(summary.ledger.map(({ phase, steps }) => [phase, steps])).toEqual([
      ['head', 3],
      ['train', 4],
    ]);
    expect(await resumes('frozen', more, { phase: 'head', step: 2 })).toBe(true);
    expect(await resumes('frozen', more, { phase: 'train', step: 2 })).toBe(true);
  });
});

describe('an average of the weights', () => {
  test('is what is scored and saved, and goes on after a stop', async () => {
    const more = { weightAverage: 0.5, duration: '4it', learningRate: 0.01 };
    await fineTuned('averaged', more);
    await fineTuned('last', { ...more, weightAverage: 0 });
    expect(bytes('averaged').equals(bytes('last'))).toBe(false);
    expect(await resumes('averaged', more, { phase: 'train', step: 2 })).toBe(true);
  });
});

describe('patience', () => {
  test('keeps the best weights on the validation split, says so, and goes on after a stop', async () => {
    const more = { patience: 1, evaluateEvery: '1it', duration: '6it', weightAverage: 0.5 };
    const { summary } = await fineTuned('patient', more);
    const { best, milestones } = summary.model;
    const scores = milestones.map(({ scores }) => scores['top1'] ?? Number.NaN);
    const expected = milestones[scores.indexOf(Math.max(...scores))];
    expect(best).toEqual({ step: expected?.step, epochs: expected?.epochs });
    expect(summary.ledger[0]?.steps).toBe(milestones.at(-1)?.step);
    expect(await resumes('patient', more, { phase: 'train', step: 1 })).toBe(true);
  });
});

describe('regularisation', () => {
  const more = { mixup: 0.8, cutmix: 1, stochasticDepth: 0.5, duration: '4it', learningRate: 0.01 };

  test('all of it together goes on after a stop, in parts of a batch too', async () => {
    const all = { ...more, microBatches: 2, eraseProbability: 0.5, weightAverage: 0.5 };
    await fineTuned('regular', all);
    expect(await resumes('regular', all, { phase: 'train', step: 2 })).toBe(true);
  });

  test.each(['mixup', 'cutmix', 'stochasticDepth', 'eraseProbability'])(
    '%s moves the weights elsewhere',
    async (name) => {
      const one = { duration: '2it', learningRate: 0.01, augmentation: 'light' };
      await fineTuned(`plain-${name}`, one);
      await fineTuned(name, { ...one, [name]: 0.9 });
      expect(bytes(name).equals(bytes(`plain-${name}`))).toBe(false);
    },
  );

  test('a batch in parts comes to the same weights, but for rounding', async () => {
    const one = { duration: '3it', optimizer: 'sgd', mixup: 0.8, freezeBackbone: '1it' };
    await fineTuned('whole-batch', one);
    await fineTuned('in-parts', { ...one, microBatches: 3 });
    const whole = await weightsOf('whole-batch');
    for (const [name, values] of await weightsOf('in-parts')) {
      const expected = whole.get(name) ?? [];
      const deviation = Math.max(...values.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
      expect([name, deviation < 1e-5]).toEqual([name, true]);
    }
  });
});

describe('a recipe', () => {
  test('fills in what is not given, is scaled to the batch, and stands in the record', async () => {
    await fineTuned('recipe', { recipe: 'fine-tune', duration: '1it', layerDecay: 0.9 });
    expect(optionsOf('recipe')).toMatchObject({
      recipe: 'fine-tune',
      layerDecay: 0.9,
      learningRate: (1e-3 * 4) / 256,
      labelSmoothing: 0.1,
      augmentation: 'standard',
      mixup: 0.8,
      cutmix: 1,
      stochasticDepth: 0.1,
    });
  });

  test('is the same run as its options, but for its name', async () => {
    const { recipe: _, ...same } = optionsOf('recipe');
    await train({ ...same, out: at('spelled') });
    expect(bytes('spelled').equals(bytes('recipe'))).toBe(true);
  });
});

test.each<[string, GivenOptions, RegExp]>([
  [
    'a learning rate of a head that is not trained alone',
    { headLearningRate: 0.1 },
    /--head-learning-rate has no use/,
  ],
  ['patience without evaluations', { patience: 2 }, /--patience needs evaluations/],
  ['more parts than a batch has pictures', { microBatches: 5 }, /at most the 4 pictures of a batch, got 5/],
  [
    'a frozen backbone that is attacked',
    { freezeBackbone: '1it', adversarial: 'patches' },
    /does not go with/,
  ],
  ['a layer decay above 1', { layerDecay: 1.5 }, /layer-decay.*1/],
  ['a recipe that is not known', { recipe: 'finetune' }, /recipe/],
  [
    'mixup of a task without classes',
    { task: 'retrieval', from: undefined, mixup: 0.8 },
    /unknown option.*mixup/,
  ],
  [
    'parts of a batch whose examples are compared',
    { task: 'retrieval', data: 'emoji-names', from: undefined, preload: false, microBatches: 2 },
    /microBatches needs a loss/,
  ],
  [
    'erasing where nothing is varied',
    { eraseProbability: 0.5, augmentation: 'none' },
    /has no use with --augmentation none/,
  ],
  ['stochastic depth of everything', { stochasticDepth: 1 }, /stochastic-depth/],
  ['a recipe for a new model', { recipe: 'fine-tune', from: undefined }, /name one with --from/],
])('refuses %s', async (_what, more, message) => {
  const refused = fineTuned('refused', { duration: '1it', ...more });
  await expect(refused).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
});

test('a new model has no backbone to freeze', async () => {
  const options: GivenOptions = {
    ...common,
    imageSize: 16,
    patchSize: 8,
    duration: '1it',
    freezeBackbone: '1it',
  };
  const refused = train({ ...options, out: at('refused') });
  await expect(refused).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/--freeze-backbone has no use without --from/),
  });
});
