import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { type GivenOptions, type Progress, RunStoppedError, compress, train } from '../src/index';

const root = await mkdtemp(join(tmpdir(), 'winnow-retraining-'));
const at = (...path: string[]) => join(root, ...path);

const common: GivenOptions = { data: at('pictures'), batchSize: 4, checkpointEvery: '1it', engine: 'wasm' };
const silent = {
  note: () => undefined,
  phase: () => undefined,
  step: () => undefined,
  close: () => undefined,
};
const repair = { retrain: '4it', retrainLearningRate: 0.01 };
/** A cut without a search: the only training of the run is the one after it. */
const atOnce: GivenOptions = { ...common, ...repair, from: at('dense'), method: 'random' };
const repaired = (out: string, more: GivenOptions) => compress({ ...atOnce, out: at(out), ...more });

beforeAll(async () => {
  await makePictures(at('pictures'));
  const shape = { imageSize: 16, patchSize: 8 };
  await train({ ...common, ...shape, evaluateEvery: '0it', duration: '2it', out: at('dense') });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const bytes = (...folder: string[]) => readFileSync(at(...folder, 'model.safetensors'));
const models = (out: string) => bytes(out, 'model');

/** Whether a run that is stopped in its retraining after a step, and goes on, ends in the bytes of `whole`. */
async function resumes(whole: string, more: GivenOptions, stopAt: number): Promise<boolean> {
  const stopping = new AbortController();
  let phase = '';
  const progress: Progress = {
    ...silent,
    phase: (event) => {
      ({ phase } = event);
    },
    step: ({ step }) => {
      if (phase === 'retrain' && step === stopAt) stopping.abort();
    },
  };
  const options = { ...atOnce, out: at(`${whole}-stopped`), ...more };
  await expect(compress(options, { progress, signal: stopping.signal })).rejects.toThrow(RunStoppedError);
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

test.each<[string, GivenOptions, RegExp]>([
  ['a layer decay above 1', { retrainLayerDecay: 1.5 }, /retrain-layer-decay.*1/],
  ['an option that there is not', { retrainLayerdecay: 0.5 }, /did you mean retrainLayerDecay/],
])('refuses %s', async (_what, more, message) => {
  const refused = repaired('refused', more);
  await expect(refused).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
});
