import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { availableEngines } from '@winnow/engine';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { signalWatched, winnow } from './terminal';

const TINY = ['--engine', 'wasm', '--batch-size', '4', '--seed', '3'];
const SHAPE = {
  train: ['--image-size', '16', '--patch-size', '8'],
  compress: ['--dense-image-size', '16', '--dense-patch-size', '8'],
};

const root = await mkdtemp(join(tmpdir(), 'winnow-runs-'));
const at = (...path: string[]) => join(root, ...path);

beforeAll(async () => {
  await makePictures(at('pictures'));
  expect((await winnow(compress('whole'))).code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const train = (out: string, ...more: string[]) => [
  'train',
  '--data',
  at('pictures'),
  ...TINY,
  ...SHAPE.train,
  '--duration',
  '10it',
  '--evaluate-every',
  '4it',
  '--checkpoint-every',
  '4it',
  '--out',
  at(out),
  ...more,
];
const compress = (out: string, ...more: string[]) => [
  'compress',
  '--data',
  at('pictures'),
  ...TINY,
  ...SHAPE.compress,
  '--dense-duration',
  '10it',
  '--search',
  '5it',
  '--retrain',
  '8it',
  '--checkpoint-every',
  '3it',
  '--out',
  at(out),
  ...more,
];

const metric = z.looseObject({ phase: z.string(), step: z.number() });
const metricsOf = (out: string) =>
  readFileSync(at(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => metric.parse(JSON.parse(line)));
const stepsOf = (out: string) =>
  metricsOf(out)
    .filter((line) => 'loss' in line)
    .map(({ phase, step }) => `${phase} ${step}`);
const weightsOf = (out: string) => readFileSync(at(out, 'model', 'model.safetensors'));
const jsonOf = (...path: string[]): unknown => JSON.parse(readFileSync(at(...path), 'utf8'));

test('train, evaluate, inspect, compress: each goes on from what the one before left', async () => {
  const trained = await winnow(train('dense'));
  expect(trained.code).toBe(0);
  expect(trained.stderr).toMatch(/^wasm/);
  expect(trained.stderr).toMatch(/train: step 10\/10/);
  expect(trained.stdout).toMatch(/test top1/);
  expect(readdirSync(at('dense')).sort()).toEqual([
    'checkpoints',
    'config.json',
    'metrics.jsonl',
    'model',
    'predictions.json',
    'run.lock',
    'summary.json',
  ]);
  expect(jsonOf('dense', 'config.json')).toMatchObject({
    command: 'train',
    engine: 'wasm',
    precision: 'f32',
    threads: 1,
    device: 'cpu',
    options: { batchSize: 4, duration: '10it' },
  });
  expect(stepsOf('dense')).toEqual(Array.from({ length: 10 }, (_, i) => `train ${i + 1}`));

  const evaluated = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--json']);
  expect(evaluated.code).toBe(0);
  const summary = z
    .looseObject({ model: z.looseObject({ scores: z.unknown() }) })
    .parse(jsonOf('dense', 'summary.json'));
  expect(JSON.parse(evaluated.stdout)).toMatchObject({
    split: 'test',
    examples: 8,
    scores: summary.model.scores,
  });

  const compressed = await winnow([
    'compress',
    '--from',
    at('dense'),
    '--data',
    at('pictures'),
    ...TINY,
    '--search',
    '5it',
    '--retrain',
    '8it',
    '--out',
    at('small'),
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.code).toBe(0);
  expect(compressed.stdout).toMatch(/after 1 ep of retraining/);
  expect(jsonOf('small', 'summary.json')).toMatchObject({
    command: 'compress',
    method: { name: 'upop', options: { search: '5it' } },
    budget: { keep: 0.5 },
    dense: { scores: summary.model.scores },
  });
  const { ratios } = z
    .looseObject({ ratios: z.record(z.string(), z.number()) })
    .parse(jsonOf('small', 'summary.json'));
  expect(ratios['compressible-parameters']).toBeGreaterThanOrEqual(2);
  expect(ratios['compressible-parameters']).toBeLessThan(2.02);

  // Training first and compressing the result is the same as one run that does both.
  expect(weightsOf('small').equals(weightsOf('whole'))).toBe(true);

  const inspected = await winnow(['inspect', at('small')]);
  expect(inspected.stdout).toMatch(/Kept of the dense model/);
  expect(inspected.stdout).toMatch(/█.* %/);
});

test('a run that is stopped and resumed ends in the same bytes and metrics as one that was not', async () => {
  const stopped = await winnow(
    compress('stopped'),
    signalWatched((looks) => looks === 7),
  );
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/winnow: stopped; .*winnow compress --resume --out /);
  expect(readdirSync(at('stopped'))).not.toContain('summary.json');

  const again = await winnow(
    ['compress', '--resume', '--out', at('stopped')],
    signalWatched((looks) => looks === 7),
  );
  expect(again.code).toBe(130);
  const resumed = await winnow(['compress', '--resume', '--out', at('stopped')]);
  expect(resumed.code).toBe(0);
  expect(weightsOf('stopped').equals(weightsOf('whole'))).toBe(true);
  expect(stepsOf('stopped')).toEqual(stepsOf('whole'));
});

const torch = (await availableEngines()).find(({ name }) => name === 'torch');
const onTorch = torch?.available === true ? test : test.skip;

onTorch('a run is resumed with the engine, the precision and the threads that it began with', async () => {
  const args = (name: string, ...more: string[]) => train(name).concat('--engine', 'torch', ...more);
  const asked = ['--precision', 'bf16', '--threads', '1'];
  expect((await winnow(args('whole-bf16', ...asked))).code).toBe(0);
  const stopped = await winnow(
    args('stopped-bf16', ...asked),
    signalWatched((looks) => looks === 4),
  );
  expect(stopped.code).toBe(130);
  expect(jsonOf('stopped-bf16', 'config.json')).toMatchObject({
    engine: 'torch',
    precision: 'bf16',
    threads: 1,
    device: 'cpu',
  });
  const resumed = await winnow(['train', '--resume', '--out', at('stopped-bf16')]);
  expect(resumed.code).toBe(0);
  expect(jsonOf('stopped-bf16', 'summary.json')).toMatchObject({
    run: { engine: 'torch', precision: 'bf16' },
  });
  expect(resumed.stderr).toMatch(/^torch \S+ on the CPU \(1 thread, bf16\)/);
  expect(weightsOf('stopped-bf16').equals(weightsOf('whole-bf16'))).toBe(true);
});

test('a run that dies without saving loses the steps since its checkpoint and nothing else', async () => {
  expect((await winnow(train('undisturbed'))).code).toBe(0);
  const killed = await winnow(
    train('killed'),
    signalWatched((looks) => {
      if (looks === 7) throw new Error('power cut');
      return false;
    }),
  );
  expect(killed.code).toBe(1);
  expect(killed.stderr).toMatch(/Error: power cut\n +at /);
  expect(stepsOf('killed')).toHaveLength(7);
  writeFileSync(at('killed', 'metrics.jsonl'), '{"phase":"train","st', { flag: 'a' });

  const resumed = await winnow(train('killed', '--resume'));
  expect(resumed.stderr).toMatch(/going on after step 4/);
  expect(resumed.code).toBe(0);
  expect(stepsOf('killed')).toEqual(stepsOf('undisturbed'));
  expect(weightsOf('killed').equals(weightsOf('undisturbed'))).toBe(true);
});

describe('a run folder that is there already', () => {
  beforeAll(async () => {
    expect((await winnow(train('taken'))).code).toBe(0);
  });

  test('is not touched without --resume', async () => {
    const { code, stderr } = await winnow(train('taken'));
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/already holds a run: go on with it by --resume/),
    ]);
  });
  test('shows its summary when the run has finished', async () => {
    const before = weightsOf('taken');
    const { code, stdout, stderr } = await winnow(train('taken', '--resume'));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/test top1/);
    expect(weightsOf('taken').equals(before)).toBe(true);
  });
  test('is not resumed with other options: they are named', async () => {
    const { code, stderr } = await winnow(
      train('taken', '--resume', '--learning-rate', '0.5', '--seed', '4'),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/learningRate: 0.001 there, 0.5 here/);
    expect(stderr).toMatch(/seed: 3 there, 4 here/);
  });
  test('is not resumed in another precision; what was in use may be named', async () => {
    const other = await winnow(train('taken', '--resume', '--precision', 'bf16'));
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/precision: "f32" there, "bf16" here/),
    ]);
    const same = ['--precision', 'f32', '--threads', '1', '--device', 'cpu'];
    expect((await winnow(train('taken', '--resume', ...same))).code).toBe(0);
  });
  test('is not resumed by another command', async () => {
    const { code, stderr } = await winnow(['compress', '--resume', '--out', at('taken')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/holds a run of winnow train/)]);
  });
});

test('no tensor outlives its run', async () => {
  const before = memory().numTensors;
  expect((await winnow(compress('again'))).code).toBe(0);
  expect(memory().numTensors).toBe(before);
  expect((await winnow(['inspect', at('again')])).code).toBe(0);
  expect(memory().numTensors).toBe(before);
});

test('there is nothing to resume in a folder without a run', async () => {
  const { code, stderr } = await winnow(['train', '--resume', '--out', at('nothing')]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/there is no run to resume/)]);
});

test('asked for again without a folder of its own, a run goes on with itself', async () => {
  const here = process.cwd();
  process.chdir(root);
  try {
    const args = train('unused').slice(0, -2);
    expect((await winnow(args)).code).toBe(0);
    const folders = readdirSync(at('runs'));
    const { code, stdout } = await winnow(args);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/test top1/)]);
    expect(readdirSync(at('runs'))).toEqual(folders);
  } finally {
    process.chdir(here);
  }
});
