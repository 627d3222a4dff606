import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-grounding-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const DATA = ['--task', 'grounding', '--data', 'scenes-expressions-tiny'];
const TINY = ['--engine', 'wasm', '--batch-size', '8', '--seed', '3', '--evaluate-every', '0it'];
const SHAPE = ['--image-size', '16', '--patch-size', '8'];

const precisions = z.object({
  p1: z.number(),
  p5: z.number(),
  p10: z.number(),
  giouP1: z.number(),
  giouP5: z.number(),
  giouP10: z.number(),
});

test('a model for grounding is trained on scenes, scored, looked at and compressed', async () => {
  const trained = await winnow([
    'train',
    ...DATA,
    ...TINY,
    ...SHAPE,
    '--duration',
    '3it',
    '--out',
    at('dense'),
  ]);
  expect(trained.stderr).not.toMatch(/winnow:/);
  expect(trained.code).toBe(0);
  expect(existsSync(at('dense', 'model', 'tokenizer.json'))).toBe(true);
  const summary = z
    .looseObject({ metric: z.string(), model: z.looseObject({ scores: precisions }) })
    .parse(JSON.parse(readFileSync(at('dense', 'summary.json'), 'utf8')));
  expect(summary.metric).toBe('p1');

  const evaluated = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--json']);
  expect(evaluated.stderr).not.toMatch(/winnow:/);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({
    data: 'scenes-expressions-tiny',
    scores: summary.model.scores,
  });

  const inspected = await winnow(['inspect', at('dense')]);
  expect(inspected.stdout).toMatch(/MDETR of 12 queries, 2 \+ 2 layers of width 96/);

  const compressed = await winnow([
    ...['compress', '--from', at('dense'), ...TINY.slice(0, 6), '--method', 'upop', '--budget', '1.2x'],
    ...['--search', '4it', '--retrain', '2it', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.code).toBe(0);
  expect(compressed.stdout).toMatch(/p1, retrained/);
});

test('a model answers questions about scenes, and one that finds objects goes on to them', async () => {
  const asked = ['--task', 'questions', '--data', 'scenes-questions-tiny', '--duration', '2it', ...TINY];
  const trained = await winnow(['train', ...asked, ...SHAPE, '--out', at('questions')]);
  expect(trained.stderr).not.toMatch(/winnow:/);
  expect(trained.stderr).toMatch(/without the picture, the words of a question are enough for/);
  expect(trained.stdout).toMatch(/test accuracy/);
  const onward = await winnow(['train', ...asked, '--from', at('dense'), '--out', at('onward')]);
  expect(onward.stderr).not.toMatch(/winnow:/);
  expect(onward.stdout).toMatch(/test accuracy/);
  const unasked = await winnow([
    'compress',
    '--from',
    at('dense'),
    ...asked.slice(0, 4),
    '--out',
    at('unasked'),
  ]);
  expect(unasked.code).toBe(2);
  expect(unasked.stderr).toMatch(/the model answers no questions, but scenes-questions-tiny asks such/);
});

test('mistakes are told before any work', async () => {
  const varied = await winnow([
    'train',
    ...DATA,
    ...TINY,
    ...SHAPE,
    '--augmentation',
    'light',
    '--out',
    at('varied'),
  ]);
  expect(varied.code).toBe(2);
  expect(varied.stderr).toMatch(/pictures are not varied, as their boxes would have to move along/);
  const parts = await winnow([
    'train',
    ...DATA,
    ...TINY,
    ...SHAPE,
    '--micro-batches',
    '2',
    '--out',
    at('parts'),
  ]);
  expect(parts.code).toBe(2);
  expect(parts.stderr).toMatch(/grounding/);
  const other = await winnow([
    'train',
    '--task',
    'grounding',
    '--data',
    'emoji-names',
    ...TINY,
    '--out',
    at('other'),
  ]);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/expected pictures with texts and boxes/);
});
