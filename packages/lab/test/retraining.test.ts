import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { z } from 'zod';
import { type GivenOptions, RunStoppedError, compress, train } from '../src/index';
import { silent, stoppedAt } from './stopping';

const root = await mkdtemp(join(tmpdir(), 'winnow-retraining-'));
const at = (...path: string[]) => join(root, ...path);

const common: GivenOptions = { data: at('pictures'), batchSize: 4, checkpointEvery: '1it', engine: 'wasm' };
const repair = { retrain: '4it', retrainLearningRate: 0.01 };
/** A cut without a search: the only training of the run is the one after it. */
const atOnce: GivenOptions = { ...common, ...repair, from: at('dense'), method: 'random', prove: 'none' };
const repaired = (out: string, more: GivenOptions) => compress({ ...atOnce, out: at(out), ...more });

beforeAll(async () => {
  await makePictures(at('pictures'));
  const shape = { imageSize: 16, patchSize: 8 };
  await train({ ...common, ...shape, evaluateEvery: '0it', duration: '2it', out: at('dense') });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const scored = z.object({
  phase: z.string().optional(),
  step: z.number().optional(),
  scores: z.record(z.string(), z.number()).optional(),
});
const bytes = (...folder: string[]) => readFileSync(at(...folder, 'model.safetensors'));
const models = (out: string) => bytes(out, 'model');

/** Whether a run that is stopped in its retraining after a step, and goes on, ends in the bytes of `whole`. */
async function resumes(whole: string, more: GivenOptions, stopAt: number): Promise<boolean> {
  const stopped = stoppedAt({ phase: 'retrain', step: stopAt });
  const options = { ...atOnce, out: at(`${whole}-stopped`), ...more };
  await expect(compress(options, stopped)).rejects.toThrow(RunStoppedError);
  await compress({ out: at(`${whole}-stopped`) }, { resume: true });
  const isSame = models(whole).equals(models(`${whole}-stopped`));
  rmSync(at(`${whole}-stopped`), { recursive: true });
  return isSame;
}

describe.each([
  ['layerDecay', 'retrainLayerDecay', 0.5],
  ['warmup', 'retrainWarmup', 0.9],
])('%s', (ofAll, ofRetraining, value) => {
  test('of the training after the cut moves the weights elsewhere, as that of every training does there', async () => {
    await repaired(`plain-${ofAll}`, {});
    await repaired(ofRetraining, { [ofRetraining]: value });
    await repaired(ofAll, { [ofAll]: value });
    expect(models(ofRetraining).equals(models(`plain-${ofAll}`))).toBe(false);
    expect(models(ofRetraining).equals(models(ofAll))).toBe(true);
  });

  test('of the training after the cut wins there, and goes on after a stop', async () => {
    const both = { [ofAll]: 0.2, [ofRetraining]: value };
    await repaired('both', both);
    expect(models('both').equals(models(ofRetraining))).toBe(true);
    expect(await resumes('both', both, 2)).toBe(true);
    rmSync(at('both'), { recursive: true });
  });

  test('of the training after the cut leaves the one before it alone', async () => {
    const { from: _, ...anew } = atOnce;
    const dense = { imageSize: 16, patchSize: 8, duration: '2it' };
    for (const [out, more] of [
      [`anew-plain-${ofAll}`, {}],
      [`anew-${ofAll}`, { [ofRetraining]: value }],
    ] as const)
      await compress({ ...anew, dense, out: at(out), ...more });
    expect(bytes(`anew-${ofAll}`, 'dense').equals(bytes(`anew-plain-${ofAll}`, 'dense'))).toBe(true);
    expect(models(`anew-${ofAll}`).equals(models(`anew-plain-${ofAll}`))).toBe(false);
  });
});

/** The variation of the test's photographs, so that there is something to paint over. */
const light = { augmentation: 'light' };

describe.each<[string, GivenOptions]>([
  ['mixup', { retrainMixup: 0.8 }],
  ['cutmix', { retrainCutmix: 1 }],
  ['labelSmoothing', { retrainLabelSmoothing: 0.5 }],
  ['eraseProbability', { retrainEraseProbability: 0.9 }],
  ['stochasticDepth', { retrainStochasticDepth: 0.5 }],
  ['weightAverage', { retrainWeightAverage: 0.5 }],
])('%s after the cut', (name, more) => {
  test('moves the weights elsewhere, and goes on after a stop', async () => {
    await repaired(`light-${name}`, light);
    await repaired(`${name}-light`, { ...light, ...more });
    expect(models(`${name}-light`).equals(models(`light-${name}`))).toBe(false);
    expect(await resumes(`${name}-light`, { ...light, ...more }, 2)).toBe(true);
  });
});

test('what every training has does in the training after the cut what it does for it alone', async () => {
  const value = { mixup: 0.8, cutmix: 1, labelSmoothing: 0.5, eraseProbability: 0.9 };
  const ofRetraining = Object.fromEntries(
    Object.entries(value).map(([key, own]) => [`retrain${key[0]?.toUpperCase()}${key.slice(1)}`, own]),
  );
  await repaired('mixed-everywhere', { ...light, ...value });
  await repaired('mixed-after', { ...light, ...ofRetraining });
  expect(models('mixed-after').equals(models('mixed-everywhere'))).toBe(true);
});

test('a search is left alone by what the training after it has', async () => {
  const search = { method: 'upop', options: { search: '3it' }, retrain: '0it' };
  await repaired('searched', search);
  await repaired('searched-alone', {
    ...search,
    retrainMixup: 1,
    retrainLayerDecay: 0.1,
    retrainWeightAverage: 0.9,
    retrainStochasticDepth: 0.5,
  });
  expect(models('searched-alone').equals(models('searched'))).toBe(true);
});

test('a batch in parts after the cut comes to the same scores, whatever is distilled, and goes on after a stop', async () => {
  const more = { optimizer: 'sgd', retrainMixup: 0.8, distill: 0.5 };
  const parts = { ...more, retrainMicroBatches: 3 };
  const { summary: whole } = await repaired('whole-batch', more);
  const { summary } = await repaired('in-parts', parts);
  const [loss, ofWhole] = [summary, whole].map(
    ({ compressed }) => compressed.retrained['loss'] ?? Number.NaN,
  );
  expect(loss).toBeCloseTo(ofWhole ?? Number.NaN, 4);
  expect(models('in-parts').equals(models('whole-batch'))).toBe(false);
  expect(await resumes('in-parts', parts, 2)).toBe(true);
});

describe('patience after the cut', () => {
  test('keeps the best weights on the validation split, says so, and goes on after a stop', async () => {
    const more: GivenOptions = {
      retrainPatience: 1,
      retrainEvaluateEvery: '1it',
      retrain: '6it',
      retrainWeightAverage: 0.5,
    };
    const notes: string[] = [];
    const { summary } = await compress(
      { ...atOnce, out: at('patient'), ...more },
      { progress: { ...silent, note: (line) => notes.push(line) } },
    );
    const { best, validation } = summary.compressed;
    const evaluations = readFileSync(at('patient', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => scored.parse(JSON.parse(line)))
      .flatMap(({ phase, step, scores }) =>
        phase === 'retrain' && scores?.['validation/top1'] !== undefined
          ? [{ step, top1: scores['validation/top1'] }]
          : [],
      );
    const highest = Math.max(...evaluations.map(({ top1 }) => top1));
    expect(best?.step).toBe(evaluations.find(({ top1 }) => top1 === highest)?.step);
    expect(validation?.['top1']).toBe(highest);
    expect(notes.join('\n')).toMatch(/retraining: .* the best on the validation split/);
    expect(await resumes('patient', more, 1)).toBe(true);
  });

  test('leaves the scores of the test where the report is about them', async () => {
    const { summary } = await repaired('patient-epochs', { retrainPatience: 3, retrain: '2ep' });
    const { milestones } = summary.compressed;
    expect(milestones.map(({ epochs }) => epochs)).toEqual([1]);
    expect(Object.keys(milestones[0]?.scores ?? {})).toEqual(Object.keys(summary.dense.scores));
  });
});

test.each<[string, GivenOptions, RegExp]>([
  [
    'more parts than a batch has pictures',
    { retrainMicroBatches: 5 },
    /--retrain-micro-batches: .*4 pictures/,
  ],
  [
    'evaluations for no patience',
    { retrainEvaluateEvery: '1it' },
    /--retrain-evaluate-every has no use without --retrain-patience/,
  ],
  [
    'patience without evaluations',
    { retrainPatience: 1, retrainEvaluateEvery: '0it' },
    /--retrain-evaluate-every: expected a length above 0/,
  ],
  [
    'erasing where nothing is varied',
    { retrainEraseProbability: 0.5, augmentation: 'none' },
    /has no use with --augmentation none/,
  ],
  ['stochastic depth of everything', { retrainStochasticDepth: 1 }, /retrain-stochastic-depth/],
  ['a layer decay above 1', { retrainLayerDecay: 1.5 }, /retrain-layer-decay.*1/],
  ['an option that there is not', { retrainLayerdecay: 0.5 }, /did you mean retrainLayerDecay/],
])('refuses %s', async (_what, more, message) => {
  const refused = repaired('refused', more);
  await expect(refused).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
});
