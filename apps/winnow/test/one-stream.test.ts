import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { winnow } from './terminal';

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
    ...['compress', '--from', at('dense'), ...TINY.slice(0, 6), '--method', 'upop', '--budget', '1.2x'],
    ...['--search', '3it', '--retrain', '1it', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.stdout).toMatch(/accuracy, retrained/);

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
