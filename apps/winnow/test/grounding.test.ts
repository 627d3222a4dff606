import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { PROVED, UPOP_PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-grounding-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const DATA = ['--task', 'grounding', '--data', 'scenes-expressions-tiny'];
const TINY = ['--engine', 'wasm', '--batch-size', '8', '--seed', '3', '--evaluate-every', '0it'];
const SHAPE = ['--image-size', '16', '--patch-size', '8'];

const shown = z.array(z.object({ box: z.array(z.number()).length(4), label: z.string() }));
const said = z.object({
  examples: z.array(z.object({ boxes: z.object({ right: shown, dense: shown, compressed: shown }) })).min(1),
});
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
    ...['compress', '--from', at('dense'), ...TINY.slice(0, 6), ...UPOP_PROVED],
    ...['--search', '4it', '--retrain', '2it', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.code).toBe(0);
  expect(compressed.stdout).toMatch(/p1, retrained/);
  expect(compressed.stdout).toContain(PROVED);
  const { examples } = said.parse(JSON.parse(readFileSync(at('small', 'said.json'), 'utf8')));
  expect(examples.every(({ boxes }) => boxes.right.length > 0)).toBe(true);
});

test('an MDETR takes over the vision tower of any model, learns phrases with it, and then expressions', async () => {
  const tower = await winnow([
    ...['train', '--task', 'segmentation', '--data', 'scenes-masks-tiny', ...TINY, ...SHAPE],
    ...['--duration', '1it', '--out', at('masks')],
  ]);
  expect(tower.code).toBe(0);
  const phrases = await winnow([
    ...['train', '--task', 'grounding', '--data', 'scenes-phrases-tiny', '--from', at('masks'), ...TINY],
    ...['--duration', '1it', '--out', at('phrases')],
  ]);
  expect(phrases.stderr).not.toMatch(/winnow:/);
  expect(phrases.stdout).toMatch(/test any1/);
  const expressions = await winnow([
    ...['train', ...DATA, '--from', at('phrases'), ...TINY, '--duration', '1it', '--out', at('after')],
  ]);
  expect(expressions.stderr).not.toMatch(/winnow:/);
  expect(expressions.stdout).toMatch(/test p1/);
  const idle = await winnow([
    ...['train', ...DATA, '--from', at('phrases'), '--context', '9', ...TINY, '--out', at('none')],
  ]);
  expect(idle.code).toBe(2);
  expect(idle.stderr).toMatch(/context has no use: the model of --from has a text tower of its own/);
});

const box = z.array(z.number()).length(4);
const found = z.object({
  by: z.literal('boxes'),
  predictions: z.array(
    z.looseObject({
      best: z.array(
        z.looseObject({ name: z.string(), index: z.int(), probability: z.number(), text: z.string(), box }),
      ),
    }),
  ),
});
const coco = z.object({
  images: z.array(z.object({ id: z.int(), file_name: z.string(), width: z.int(), height: z.int() })),
  annotations: z.array(
    z.looseObject({
      image_id: z.int(),
      category_id: z.int(),
      bbox: box,
      score: z.number(),
      caption: z.string(),
    }),
  ),
  categories: z.array(z.object({ id: z.int(), name: z.string() })),
});

test('what texts mean is found in pictures, drawn onto them, and written as COCO has it', async () => {
  const pixels = new Uint8Array(40 * 30 * 3).fill(200);
  const picture = at('grey.png');
  await sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } }).toFile(picture);
  const texts = ['the red dog', 'a <blue> cat'];
  const asked = ['predict', at('dense'), picture, '--engine', 'wasm'];
  const drawn = ['--texts', texts.join('|'), '--drawings', at('drawn'), '--coco', at('boxes.json')];
  const answered = await winnow([...asked, ...drawn, '--json']);
  expect([answered.code, answered.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  const best = found.parse(JSON.parse(answered.stdout)).predictions[0]?.best ?? [];
  expect([...new Set(best.map(({ text }) => text))]).toEqual(texts);
  for (const { text, name, index } of best) {
    expect(texts[index]).toBe(text);
    for (const word of name.split(' ')) expect(text.split(' ')).toContain(word);
  }
  const file = coco.parse(JSON.parse(readFileSync(at('boxes.json'), 'utf8')));
  expect(file.images).toEqual([{ id: 1, file_name: 'grey.png', width: 40, height: 30 }]);
  expect(file.categories).toEqual(texts.map((name, place) => ({ id: place + 1, name })));
  expect(
    file.annotations.map(({ bbox: [left = 0, top = 0, width = 0, height = 0] }) => [
      left,
      top,
      left + width,
      top + height,
    ]),
  ).toEqual(
    best.map(({ box: corners }) =>
      corners.map((share, place) => expect.closeTo(share * (place % 2 === 0 ? 40 : 30), 6)),
    ),
  );
  expect(readdirSync(at('drawn')).sort()).toEqual(['grey.png', 'grey.svg']);
  const svg = readFileSync(at('drawn', 'grey.svg'), 'utf8');
  expect(svg.match(/<rect[^>]*fill="none"/g)).toHaveLength(best.length);
  expect(svg).not.toContain('<blue>');
  const { data } = await sharp(at('drawn', 'grey.png'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(data.some((level) => level !== 200)).toBe(true);

  const shown = await winnow([...asked, '--texts', 'the dog']);
  expect(shown.stdout).toMatch(/% at \d+–\d+ % across, \d+–\d+ % down/);
  const without = await winnow(asked);
  expect([without.code, without.stderr]).toEqual([
    2,
    expect.stringContaining('--texts: expected what to look for'),
  ]);
  const over = await winnow([...asked, '--texts', 'the dog', '--drawings', root]);
  expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('is a picture that is asked about')]);
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
