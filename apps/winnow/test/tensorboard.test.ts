import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { z } from 'zod';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-looked-at-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4', '--image-size', '16', '--patch-size', '8'];
const train = (out: string, ...more: string[]) =>
  winnow([
    ...['train', ...TINY, '--data', at('two'), '--duration', '4it', '--evaluate-every', '2it'],
    ...['--checkpoint-every', '2it', '--out', at(out), ...more],
  ]);
const eventsIn = (...folder: string[]): string[] =>
  existsSync(at(...folder)) ? readdirSync(at(...folder)).filter((name) => name.includes('tfevents')) : [];
const weightsOf = (run: string) => readFileSync(at(run, 'model', 'model.safetensors'));
const hashOf = (run: string) =>
  z
    .looseObject({ hash: z.string() })
    .transform(({ hash }) => hash)
    .parse(JSON.parse(readFileSync(at(run, 'config.json'), 'utf8')));

beforeAll(async () => {
  await makePictures(at('two'));
  expect((await train('dark')).code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a run that TensorBoard looks at is the same run, and ends in the same bytes', async () => {
  const { code, stderr } = await train('shown', '--tensorboard');
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining(`TensorBoard: tensorboard --logdir ${at('shown', 'tensorboard')}`),
  ]);
  expect(eventsIn('shown', 'tensorboard')).toHaveLength(1);
  expect(eventsIn('dark', 'tensorboard')).toEqual([]);
  expect(Buffer.compare(weightsOf('shown'), weightsOf('dark'))).toBe(0);
  expect(hashOf('shown')).toBe(hashOf('dark'));
  expect(readFileSync(at('shown', 'config.json'), 'utf8')).not.toContain('tensorboard');
  const { length } = readFileSync(at('shown', 'tensorboard', eventsIn('shown', 'tensorboard')[0] ?? ''));
  // Steps 1 to 4 with loss, rate and throughput, and scores after 2: at least a few dozen bytes each.
  expect(length).toBeGreaterThan(4 * 3 * 40);
});

test('another folder has a folder for every run, and a config file may ask for it', async () => {
  expect((await train('one', '--tensorboard', at('logs'))).code).toBe(0);
  await writeFile(at('asked.yaml'), `tensorboard: ${at('logs')}\n`);
  expect((await train('two-runs', '--config', at('asked.yaml'))).code).toBe(0);
  expect(readdirSync(at('logs')).sort()).toEqual(['one', 'two-runs']);
  expect(eventsIn('logs', 'one')).toHaveLength(1);
  expect(eventsIn('one', 'tensorboard')).toEqual([]);
});

test('a run that was begun without may go on with it, from the checkpoint, and shows all of it', async () => {
  expect((await train('later')).code).toBe(0);
  rmSync(at('later', 'summary.json'));
  rmSync(at('later', 'model'), { recursive: true });
  const { code } = await winnow(['train', '--resume', '--tensorboard', '--out', at('later')]);
  expect(code).toBe(0);
  expect(Buffer.compare(weightsOf('later'), weightsOf('dark'))).toBe(0);
  const sizes = ['later', 'shown'].map((run) =>
    Math.max(0, ...eventsIn(run, 'tensorboard').map((name) => statSync(at(run, 'tensorboard', name)).size)),
  );
  expect(sizes[0]).toBe(sizes[1]);
});

test('a compression shows its phases', async () => {
  const { code } = await winnow([
    ...['compress', '--engine', 'wasm', '--batch-size', '4', '--from', at('dark'), '--method', 'magnitude'],
    ...['--search', '0it', '--retrain', '2it', '--out', at('small'), '--tensorboard'],
  ]);
  expect(code).toBe(0);
  const [name = ''] = eventsIn('small', 'tensorboard');
  const text = readFileSync(at('small', 'tensorboard', name), 'latin1');
  for (const tag of ['retrain/loss', 'retrain/learningRate', '/scores/top1']) expect(text).toContain(tag);
});

test('a folder that is none is refused', async () => {
  const { code, stderr } = await train('text', '--tensorboard', 'no\0path');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/NUL/)]);
});
