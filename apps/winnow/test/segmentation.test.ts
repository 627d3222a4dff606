import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures, writePicture } from '@winnow/testkit';
import { z } from 'zod';
import { PROVED, UPOP_PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-segmentation-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const DATA = ['--task', 'segmentation', '--data', 'scenes-masks-tiny'];
const TINY = ['--engine', 'wasm', '--batch-size', '8', '--seed', '3', '--evaluate-every', '0it'];
const SHAPE = ['--image-size', '16', '--patch-size', '8'];
const scores = z.object({ meanIoU: z.number(), pixelAccuracy: z.number(), meanClassAccuracy: z.number() });

test('a segmenter is trained on scenes, scored at one scale and at six, drawn with, compressed and exported', async () => {
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
  expect(trained.stderr).toMatch(/scenes-masks-tiny: pictures with masks of 9 classes, 60 for training/);
  expect(trained.stdout).toMatch(/test meanIoU/);
  const { model } = z
    .looseObject({ model: z.looseObject({ scores }) })
    .parse(JSON.parse(readFileSync(at('dense', 'summary.json'), 'utf8')));

  const evaluated = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--json']);
  expect(evaluated.stderr).not.toMatch(/winnow:/);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ examples: 20, scores: model.scores });
  const often = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--multi-scale', '--json']);
  expect(often.stderr).not.toMatch(/winnow:/);
  expect(z.looseObject({ scores }).parse(JSON.parse(often.stdout)).scores.pixelAccuracy).toBeGreaterThan(0);

  const inspected = await winnow(['inspect', at('dense')]);
  expect(inspected.stdout).toMatch(/Segmenter of 9 classes, a mask decoder of 2 layers, width 96/);

  await mkdir(at('pictures'));
  const levels = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7) % 256);
  await writePicture(at('pictures', 'a.png'), { width: 40, height: 30, channels: 3, levels });
  await writeFile(at('pictures', 'b.png'), 'no picture');
  const asked = [at('dense'), at('pictures'), '--engine', 'wasm', '--skip-broken', '--csv', at('shares.csv')];
  const predicted = await winnow(['predict', ...asked, '--drawings', at('drawings')]);
  expect(predicted.stderr).not.toMatch(/winnow:/);
  expect(predicted.stderr).toMatch(/1 of 2 pictures cannot be read/);
  expect(predicted.stdout).toMatch(/class │ of the pixels/);
  expect(readFileSync(at('drawings', 'a.png')).readUInt32BE(16)).toBe(40);
  expect(existsSync(at('drawings', 'b.png'))).toBe(false);
  expect(readFileSync(at('shares.csv'), 'utf8')).toMatch(/^picture,rank,class,index,share\s/);
  const asking = await winnow([
    'predict',
    at('dense'),
    at('pictures'),
    '--question',
    'what?',
    '--engine',
    'wasm',
  ]);
  expect(asking.stderr).toMatch(/--question is for a blip, and this model is a segmenter/);
  const over = await winnow(['predict', ...asked, '--drawings', at('pictures')]);
  expect(over.code).toBe(2);
  expect(over.stderr).toMatch(/a\.png is a picture that is asked about/);

  const compressed = await winnow([
    ...['compress', '--from', at('dense'), ...TINY.slice(0, 6), ...UPOP_PROVED],
    ...['--search', '4it', '--retrain', '2it', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.stdout).toMatch(/meanIoU, retrained/);
  expect(compressed.stdout).toContain(PROVED);
  const kept = await winnow(['inspect', at('small'), '--json']);
  expect(kept.stdout).toMatch(/"decoder attention"/);
});

test('a classifier becomes the encoder of a segmenter with a linear decoder', async () => {
  await makePictures(at('classes'), { train: 4, validation: 2, test: 2 });
  const shape = ['--image-size', '16', '--patch-size', '8', '--duration', '1it'];
  const classes = ['--data', at('classes'), '--batch-size', '4', ...shape, '--engine', 'wasm'];
  expect((await winnow(['train', ...classes, '--out', at('classifier')])).code).toBe(0);
  const onward = await winnow([
    ...['train', '--from', at('classifier'), ...DATA, ...TINY, '--decoder', 'linear', '--duration', '1it'],
    ...['--freeze-backbone', '1it', '--out', at('onward')],
  ]);
  expect(onward.stderr).not.toMatch(/winnow:/);
  expect((await winnow(['inspect', at('onward')])).stdout).toMatch(
    /Segmenter of 9 classes, a linear decoder/,
  );
  const many = await winnow(['evaluate', at('classifier'), '--engine', 'wasm', '--multi-scale']);
  expect(many.code).toBe(2);
  expect(many.stderr).toMatch(/--multi-scale is for models that segment/);
});

test('mistakes are told before any work', async () => {
  const started = (...words: string[]) =>
    winnow(['train', ...DATA, ...TINY, ...SHAPE, ...words, '--out', at('none')]);
  const varied = await started('--augmentation', 'symbols');
  expect(varied.code).toBe(2);
  expect(varied.stderr).toMatch(/pictures are varied together with their masks/);
  const threads = await started('--workers', '2');
  expect(threads.code).toBe(2);
  expect(threads.stderr).toMatch(/workers has no use/);
  const other = await winnow([
    'train',
    '--task',
    'segmentation',
    '--data',
    'emoji-names',
    ...TINY,
    '--out',
    at('x'),
  ]);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/expected pictures with masks/);
});
