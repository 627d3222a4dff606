import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-blip-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const ENGINE = ['--engine', 'wasm'];
const TINY = [...ENGINE, '--batch-size', '8', '--seed', '3', '--evaluate-every', '0it'];
const SHAPE = ['--image-size', '16', '--patch-size', '8', '--duration', '1it'];
const pictures = ['red', 'blue'].map((background) => at(`${background}.png`));

beforeAll(async () => {
  for (const [index, path] of pictures.entries()) {
    const background = { r: 200 * index, g: 30, b: 90 };
    await sharp({ create: { width: 20, height: 16, channels: 3, background } })
      .png()
      .toFile(path);
  }
});

const said = z.object({
  by: z.string(),
  predictions: z.array(
    z.object({
      picture: z.string(),
      best: z.array(z.looseObject({ name: z.string(), probability: z.number() })),
    }),
  ),
});

async function predicted(args: readonly string[]) {
  const { stdout, stderr, code } = await winnow(['predict', ...args, ...ENGINE, '--json']);
  expect(stderr).not.toMatch(/winnow:/);
  expect(code).toBe(0);
  return said.parse(JSON.parse(stdout));
}

async function trained(
  task: string,
  data: string,
  ...more: readonly string[]
): Promise<Record<string, number>> {
  const own = ['--task', task, '--data', data, '--out', at(task)];
  const { stderr, code } = await winnow(['train', ...own, ...more, ...TINY, ...SHAPE]);
  expect(stderr).not.toMatch(/winnow:/);
  expect(code).toBe(0);
  const summary = z.looseObject({ model: z.looseObject({ scores: z.record(z.string(), z.number()) }) });
  return summary.parse(JSON.parse(readFileSync(at(task, 'summary.json'), 'utf8'))).model.scores;
}

test('captions are learned, written, compressed at all sites at once, and written again', async () => {
  const scores = await trained('captions', 'scenes-captions-tiny');
  expect(Object.keys(scores)).toEqual(['ciderD', 'tupleF1', 'bleu1', 'bleu2', 'bleu3', 'bleu4']);
  const compressed = await winnow([
    ...[
      'compress',
      '--from',
      at('captions'),
      ...TINY.slice(0, 6),
      '--method',
      'upop',
      '--budget',
      '2x',
      '--prove',
      'full',
    ],
    ...['--search', '2it', '--retrain', '0ep', '--out', at('half')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.stdout).toMatch(/ciderD, retrained/);
  expect(compressed.stdout).toContain(PROVED);
  const said = z.object({ examples: z.array(z.record(z.string(), z.unknown())) });
  const { examples } = said.parse(JSON.parse(readFileSync(at('half', 'said.json'), 'utf8')));
  expect(examples).toHaveLength(10);
  const [{ pictures: shown, ...words } = {}] = examples;
  expect(shown).toEqual([expect.stringMatching(/^data:image\/jpeg/)]);
  expect(words).toEqual({
    ...{ asked: '', right: expect.stringMatching(/\w/) },
    ...{ dense: expect.any(String), compressed: expect.any(String) },
  });
  const inspected = await winnow(['inspect', at('half')]);
  expect(inspected.stdout).toMatch(/decoder\.blocks\.3\.cross/);
  const { by, predictions } = await predicted([at('half'), ...pictures]);
  expect(by).toBe('captions');
  expect(predictions.map(({ picture }) => picture)).toEqual(pictures);
  for (const { best } of predictions) {
    expect(best.length).toBeGreaterThan(0);
    for (const { probability } of best) expect(probability >= 0 && probability <= 1).toBe(true);
  }
});

test('a statement is judged of two pictures, and a question is answered', async () => {
  expect(Object.keys(await trained('statements', 'scenes-statements-tiny'))).toEqual(['accuracy']);
  const { by, predictions } = await predicted([
    at('statements'),
    ...pictures,
    '--statement',
    'each picture has a cat.',
  ]);
  expect([by, predictions.length]).toEqual(['judgement', 1]);
  expect(predictions[0]?.picture).toBe(pictures.join(' + '));
  expect(predictions[0]?.best.map(({ name }) => name).sort()).toEqual(['false', 'true']);
  const odd = await winnow(['predict', at('statements'), pictures[0] ?? '', '--statement', 'yes']);
  expect([odd.code, odd.stderr]).toEqual([2, expect.stringMatching(/expected pictures in twos/)]);

  const whole = ['--precision', 'int8', '--calibration', '4', '--pictures', '8', '--out', at('proof')];
  const proved = await winnow(['prove', at('statements'), ...whole, ...ENGINE]);
  expect([proved.code, proved.stdout]).toEqual([
    0,
    expect.stringMatching(/the same class for \d+ of 8 pairs of pictures with statements/),
  ]);

  const scores = await trained('answers', 'scenes-questions-tiny');
  expect(scores['accuracy']).toBeGreaterThanOrEqual(0);
  const answered = await predicted([at('answers'), pictures[0] ?? '', '--question', 'is there a cat?']);
  expect(answered.by).toBe('answers');
  const unknown = await winnow([
    ...['predict', at('answers'), pictures[0] ?? '', '--question', 'is there a zyzzyva?'],
  ]);
  expect([unknown.code, unknown.stderr]).toEqual([
    0,
    expect.stringMatching(/does not know all words of 1 of 1 texts: is there a zyzzyva/),
  ]);
  const unasked = await winnow(['predict', at('answers'), pictures[0] ?? '']);
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringMatching(/needs --question/)]);
});

test('retrieval with matching is learned against a queue and scored, and what a blip cannot be is said', async () => {
  const scores = await trained('matching', 'scenes-captions-tiny', '--queue', '16');
  expect(scores['meanR']).toBeGreaterThanOrEqual(0);
  const exported = await winnow(['export', at('matching'), '--format', 'onnx', '--out', at('onnx')]);
  expect([exported.code, readdirSync(at('onnx', 'onnx')).sort()]).toEqual([
    0,
    ['grounded_model.onnx', 'text_model.onnx', 'vision_model.onnx'],
  ]);
  expect(readdirSync(at('onnx'))).toContain('tokenizer.json');
  const refused = async (args: readonly string[], because: RegExp) => {
    const { code, stderr } = await winnow(args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(because)]);
  };
  await refused(['predict', at('matching'), pictures[0] ?? ''], /a blip for retrieval compares/);
  const inPyTorch = await winnow(['export', at('matching'), '--format', 'pytorch', '--out', at('py')]);
  expect([inPyTorch.code, readdirSync(at('py')).includes('model.py')]).toEqual([0, true]);
  await refused(
    [
      'train',
      '--task',
      'captions',
      '--data',
      'scenes-captions-tiny',
      '--from',
      at('matching'),
      ...TINY,
      '--out',
      at('no'),
    ],
    /captions needs a blip for captions, got one for retrieval/,
  );
  await refused(
    [
      'compress',
      '--from',
      at('matching'),
      '--method',
      'bwsp',
      '--budget',
      '2x',
      ...TINY.slice(0, 6),
      '--out',
      at('no'),
    ],
    /sharing needs a vision tower and a text tower, got vision and encoder/,
  );
});
