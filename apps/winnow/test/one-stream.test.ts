import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { PROVED, UPOP_PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-one-stream-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const DATA = ['--task', 'questions', '--data', 'scenes-questions-tiny'];
const TINY = ['--engine', 'wasm', '--batch-size', '8', '--seed', '3', '--evaluate-every', '0it'];

test('a ViLT answers questions about scenes: trained, scored, compressed, ticketed', async () => {
  const trained = await winnow([
    ...['train', ...DATA, '--one-stream', ...TINY, '--image-size', '16', '--patch-size', '8'],
    ...['--duration', '3it', '--out', at('dense')],
  ]);
  expect(trained.stderr).not.toMatch(/winnow:/);
  expect(trained.stdout).toMatch(/test accuracy/);
  const evaluated = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--json']);
  expect(evaluated.stderr).not.toMatch(/winnow:/);
  const scores = z.looseObject({ scores: z.record(z.string(), z.number()) });
  expect(Object.keys(scores.parse(JSON.parse(evaluated.stdout)).scores)).toContain('accuracy');
  expect((await winnow(['inspect', at('dense')])).stdout).toMatch(
    /ViLT for \d+ answers: words and patches in one trunk/,
  );

  const compressed = await winnow([
    ...['compress', '--from', at('dense'), ...TINY.slice(0, 6), ...UPOP_PROVED],
    ...['--search', '3it', '--retrain', '1it', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.stdout).toMatch(/accuracy, retrained/);
  expect(compressed.stdout).toContain(PROVED);

  const sparse = await winnow([
    ...[
      'compress',
      '--from',
      at('dense'),
      ...TINY.slice(0, 6),
      '--method',
      'one-shot-magnitude',
      '--budget',
      '50%',
    ],
    ...['--retrain', '1it', '--out', at('sparse')],
  ]);
  expect(sparse.stderr).not.toMatch(/winnow:/);
});

test('a trunk begins as a vision tower, and other models are refused by name', async () => {
  const onward = await winnow([
    ...[
      'train',
      '--from',
      at('dense'),
      ...DATA,
      ...TINY,
      '--head',
      'new',
      '--duration',
      '1it',
      '--out',
      at('onward'),
    ],
  ]);
  expect(onward.stderr).not.toMatch(/winnow:/);
  const wrong = await winnow(['predict', at('dense'), at('none.png'), '--engine', 'wasm']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/got a vilt/);
});

/** Runs a command that has to end well. */
async function well(...args: string[]): Promise<string> {
  const { stdout, stderr } = await winnow(args);
  expect(stderr).not.toMatch(/winnow:/);
  return `${stderr}\n${stdout}`;
}

const SMALL = [...TINY, '--image-size', '16', '--patch-size', '8', '--duration', '1it'];
const STATED = ['--task', 'statements', '--data', 'scenes-statements-tiny'];
const PAIRED = ['--task', 'matching', '--data', 'scenes-captions-tiny'];

test('a ViLT judges statements about two pictures: trained, cut, and asked', async () => {
  const told = await well('train', ...STATED, '--family', 'vilt', ...SMALL, '--out', at('judge'));
  expect(told).toMatch(/test accuracy/);
  expect((await winnow(['inspect', at('judge')])).stdout).toMatch(/ViLT for statements/);
  const cut = ['--method', 'upop', '--budget', '1.2x', '--search', '1it', '--retrain', '1it'];
  const compressed = await well(
    ...[
      'compress',
      '--from',
      at('judge'),
      ...TINY.slice(0, 6),
      ...cut,
      '--out',
      at('judge-small'),
      '--prove',
      'full',
    ],
  );
  expect(compressed).toMatch(/accuracy, retrained/);
  expect(compressed).toContain(PROVED);
  const [left, right] = ['left', 'right'].map((name) => at(`${name}.png`));
  for (const path of [left, right])
    await sharp({ create: { width: 20, height: 20, channels: 3, background: 'red' } }).toFile(path ?? '');
  const asked = [at('judge-small'), left ?? '', right ?? '', '--engine', 'wasm'];
  expect(await well('predict', ...asked, '--statement', 'the left one has a red thing')).toMatch(
    /true|false/,
  );
  expect((await winnow(['predict', ...asked])).stderr).toMatch(/a vilt for statements needs --statement/);
});

test('a UNITER judges statements by the regions of two pictures, and finds texts', async () => {
  const judged = await well('train', ...STATED, '--family', 'uniter', ...SMALL, '--out', at('regions'));
  expect(judged).toMatch(/test accuracy/);
  const onward = await well(
    ...['train', ...PAIRED, '--from', at('regions'), ...TINY, '--duration', '1it', '--out', at('found')],
  );
  expect(onward).toMatch(/recalls are among the first 64 pictures/);
  const asked = await winnow(['predict', at('regions'), at('left.png'), '--engine', 'wasm']);
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringMatching(/a uniter reads regions/)]);
  const wrong = await winnow([
    'evaluate',
    at('regions'),
    '--data',
    'scenes-captions-tiny',
    '--engine',
    'wasm',
  ]);
  expect(wrong.code).toBe(2);
});
