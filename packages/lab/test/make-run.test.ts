import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { makePictures } from '@winnow/testkit';
import { type Progress, RunBusyError, RunStoppedError, compress, readSummary, train } from '../src/index';
import { lockRun } from '../src/run-folder/run-lock';

const root = await mkdtemp(join(tmpdir(), 'winnow-make-run-'));
const at = (...path: string[]) => join(root, ...path);
beforeAll(() => makePictures(at('pictures')));
afterAll(() => rm(root, { recursive: true, force: true }));

const tiny = (out: string) =>
  ({
    data: at('pictures'),
    imageSize: 16,
    patchSize: 8,
    batchSize: 4,
    duration: '6it',
    evaluateEvery: '0it',
    checkpointEvery: '1it',
    engine: 'wasm',
    out: at(out),
  }) as const;

/** Whoever looks on, with what was shown. */
function watcher(onStep: (step: number) => void = () => undefined): { progress: Progress; shown: string[] } {
  const shown: string[] = [];
  const progress: Progress = {
    note: (line) => shown.push(line),
    phase: ({ phase, from }) => shown.push(`${phase} from ${from}`),
    step: ({ step }) => {
      shown.push(`step ${step}`);
      onStep(step);
    },
    close: () => shown.push('closed'),
  };
  return { progress, shown };
}

const weights = (out: string) => readFileSync(at(out, 'model', 'model.safetensors'));

test('a run tells whoever looks on, prints nothing, and gives what is in its folder', async () => {
  const written = [process.stdout, process.stderr].map((stream) => jest.spyOn(stream, 'write'));
  const { progress, shown } = watcher();
  const { summary, folder, remarks } = await train(tiny('whole'), { progress });
  for (const spy of written) {
    expect(spy.mock.calls).toEqual([]);
    spy.mockRestore();
  }
  expect(shown).toContain('train from 0');
  expect(shown.filter((line) => line.startsWith('step '))).toHaveLength(6);
  expect(shown.some((line) => /pictures: pictures of 2 classes, 24 for training/.test(line))).toBe(true);
  expect([folder, remarks]).toEqual([at('whole'), []]);
  expect(await readSummary(folder)).toEqual(summary);
  expect(summary.model.scores['top1']).toBeGreaterThanOrEqual(0);
});

test('a run that is stopped goes on, and ends in the bytes of one that was not', async () => {
  const stopping = new AbortController();
  const { progress } = watcher((step) => {
    if (step === 3) stopping.abort();
  });
  const stopped = train(tiny('stopped'), { progress, signal: stopping.signal });
  await expect(stopped).rejects.toThrow(RunStoppedError);
  expect(await readSummary(at('stopped'))).toBeUndefined();
  const { progress: second, shown } = watcher();
  await train({ out: at('stopped') }, { resume: true, progress: second });
  expect(shown.find((line) => line.startsWith('train from'))).toMatch(/from [1-5]$/);
  expect(weights('stopped')).toEqual(weights('whole'));
});

test('a run that has finished is only read', async () => {
  const { progress, shown } = watcher();
  const { summary } = await train({ out: at('whole') }, { resume: true, progress });
  expect(shown).toEqual([]);
  expect(await readSummary(at('whole'))).toEqual(summary);
});

test('nobody else works in its folder', async () => {
  const lock = lockRun(at('whole'));
  await rm(at('whole', 'summary.json'));
  try {
    await expect(train({ out: at('whole') }, { resume: true })).rejects.toThrow(RunBusyError);
  } finally {
    lock.release();
  }
});

test('what is not allowed is refused by name before anything is written', async () => {
  const wrong = { from: at('stopped'), budget: '2x', batchsize: 4, out: at('wrong') };
  await expect(compress(wrong)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/batchsize.*did you mean/s),
  });
  expect(existsSync(at('wrong'))).toBe(false);
});
