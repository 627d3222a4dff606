import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures, writePicture } from '@winnow/testkit';
import { z } from 'zod';
import { PROVED, UPOP_PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-detection-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const TINY = ['--engine', 'wasm', '--batch-size', '4', '--seed', '3', '--evaluate-every', '0it'];
const SHAPE = ['--image-size', '16', '--patch-size', '8'];
const NAMES = ['ap', 'ap50', 'ap75', 'apSmall', 'apMedium', 'apLarge'];
const RECALLS = ['ar1', 'ar10', 'ar100', 'arSmall', 'arMedium', 'arLarge'];

/** Pictures of 40 × 30 with boxes of two classes, as COCO has them. */
async function cells(): Promise<string> {
  const [width, height] = [40, 30];
  await mkdir(at('cells', 'annotations'), { recursive: true });
  for (const split of ['train', 'val', 'test']) {
    await mkdir(at('cells', split));
    for (const id of [1, 2, 3, 4]) {
      const levels = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * (7 + id)) % 256);
      await writePicture(at('cells', split, `${id}.png`), { width, height, channels: 3, levels });
    }
    const content = {
      images: [1, 2, 3, 4].map((id) => ({ id, file_name: `${id}.png`, width, height })),
      annotations: [1, 2, 3].map((id) => ({
        ...{ image_id: id, category_id: id % 2, bbox: [4 * id, 3, 16, 18] },
      })),
      categories: [
        { id: 0, name: 'red_cell' },
        { id: 1, name: 'platelet' },
      ],
    };
    await writeFile(at('cells', 'annotations', `instances_${split}.json`), JSON.stringify(content));
  }
  return at('cells');
}

const shown = z.array(z.object({ box: z.array(z.number()).length(4), label: z.string() }));
const said = z.object({
  examples: z.array(z.object({ boxes: z.object({ right: shown, dense: shown, compressed: shown }) })).min(1),
});

test('a detector is trained on COCO’s boxes, scored by all of its numbers, and compressed', async () => {
  const data = ['--task', 'detection', '--data', await cells()];
  const trained = await winnow([
    ...['train', ...data, ...TINY, ...SHAPE, '--duration', '2it', '--out', at('dense')],
  ]);
  expect(trained.stderr).not.toMatch(/winnow:/);
  expect(trained.stderr).toMatch(/cells: pictures with boxes of 2 classes, 4 for training/);
  expect(trained.stderr).toMatch(/1 picture of train without an object: kept/);
  expect(trained.stderr).toMatch(/scores ask for all classes in one text/);
  const summary = z
    .looseObject({ metric: z.string(), model: z.looseObject({ scores: z.record(z.string(), z.number()) }) })
    .parse(JSON.parse(readFileSync(at('dense', 'summary.json'), 'utf8')));
  expect(summary.metric).toBe('ap50');
  expect(Object.keys(summary.model.scores).sort()).toEqual([...NAMES, ...RECALLS].sort());

  const evaluated = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--json']);
  expect(evaluated.stderr).not.toMatch(/winnow:/);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ examples: 4, scores: summary.model.scores });
  const inspected = await winnow(['inspect', at('dense')]);
  expect(inspected.stdout).toMatch(/GLIP of 2 rounds with deep fusion, width 96, a pyramid of three grids/);

  const compressed = await winnow([
    ...['compress', '--from', at('dense'), ...TINY.slice(0, 6), ...UPOP_PROVED],
    ...['--search', '4it', '--retrain', '2it', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.stdout).toMatch(/ap50, retrained/);
  expect(compressed.stdout).toContain(PROVED);
  const { examples } = said.parse(JSON.parse(readFileSync(at('small', 'said.json'), 'utf8')));
  expect(examples.some(({ boxes }) => boxes.right.length > 0)).toBe(true);
});

const box = z.array(z.number()).length(4);
const found = z.object({
  by: z.literal('objects'),
  predictions: z.array(
    z.looseObject({ best: z.array(z.looseObject({ name: z.string(), probability: z.number(), box })) }),
  ),
});
const coco = z.looseObject({
  images: z.array(z.looseObject({ file_name: z.string() })),
  annotations: z.array(z.looseObject({ bbox: box, score: z.number() })),
});

test('objects of named classes are found in pictures, drawn onto them, and written as COCO has them', async () => {
  const picture = at('cells', 'test', '1.png');
  const asked = ['predict', at('dense'), picture, '--engine', 'wasm'];
  const written = ['--drawings', at('drawn'), '--coco', at('boxes.json')];
  const answered = await winnow([...asked, '--texts', 'platelet|red cell', ...written, '--json']);
  expect([answered.code, answered.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  const { predictions } = found.parse(JSON.parse(answered.stdout));
  expect(predictions).toHaveLength(1);
  const file = coco.parse(JSON.parse(readFileSync(at('boxes.json'), 'utf8')));
  expect(file.images.map(({ file_name }) => file_name)).toEqual(['1.png']);
  for (const { bbox, score } of file.annotations) {
    const [left = -1, top = -1, width = -1, height = -1] = bbox;
    expect(left >= 0 && top >= 0 && left + width <= 40.001 && top + height <= 30.001).toBe(true);
    expect(score > 0 && score <= 1).toBe(true);
  }
  const sure = file.annotations.filter(({ score }) => score >= 0.4).length;
  expect(predictions[0]?.best.length).toBeLessThanOrEqual(sure);
  expect(readdirSync(at('drawn')).sort()).toEqual(['1.png', '1.svg']);

  const alike = await winnow([...asked, '--texts', 'owl|yak']);
  expect([alike.code, alike.stderr]).toEqual([2, expect.stringContaining('that read the same')]);
  const unknown = await winnow([...asked, '--texts', 'owl']);
  expect([unknown.code, unknown.stderr]).toEqual([
    0,
    expect.stringMatching(/does not know all words of 1 of 1 class:\n- owl/),
  ]);
  const without = await winnow(asked);
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('--texts: expected')]);
});

test('a detector has files for ONNX Runtime and for PyTorch, and no page', async () => {
  const inOnnx = await winnow(['export', at('dense'), '--format', 'onnx', '--out', at('onnx')]);
  expect([inOnnx.code, readdirSync(at('onnx', 'onnx'))]).toEqual([0, ['model.onnx']]);
  const inPyTorch = await winnow(['export', at('dense'), '--format', 'pytorch', '--out', at('exported')]);
  expect([inPyTorch.code, readdirSync(at('exported')).includes('model.py')]).toEqual([0, true]);
  const shown = await winnow(['demo', at('dense'), '--out', at('shown')]);
  expect([shown.code, shown.stderr]).toEqual([
    2,
    expect.stringMatching(/^winnow: expected a classifier or a dual encoder, got a glip/m),
  ]);
});

test('a classifier becomes the vision tower of a detector, whose words are new', async () => {
  await makePictures(at('classes'), { train: 4, validation: 2, test: 2 });
  const classes = ['--data', at('classes'), ...TINY, ...SHAPE, '--duration', '1it'];
  expect((await winnow(['train', ...classes, '--out', at('classifier')])).code).toBe(0);
  const data = ['--task', 'detection', '--data', at('cells'), '--levels', 'flat'];
  const onward = ['train', '--from', at('classifier'), ...data, ...TINY, '--duration', '1it'];
  const trained = await winnow([...onward, '--shallow', '--out', at('onward')]);
  expect(trained.stderr).not.toMatch(/winnow:/);
  const inspected = await winnow(['inspect', at('onward')]);
  expect(inspected.stdout).toMatch(/GLIP of 2 rounds without deep fusion, width 96, one grid/);
  const odd = await winnow([...onward, '--levels', 'pyramid', '--image-size', '24', '--out', at('odd')]);
  expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining('an even number of patches')]);
  const again = ['train', '--from', at('dense'), ...data, ...TINY, '--duration', '1it', '--context', '9'];
  const idle = await winnow([...again, '--out', at('idle')]);
  expect([idle.code, idle.stderr]).toEqual([2, expect.stringContaining('has a text tower of its own')]);
  expect(existsSync(at('idle', 'model'))).toBe(false);
});

test('mistakes are told before any work', async () => {
  const run = (...more: string[]) =>
    winnow(['train', '--task', 'detection', ...TINY, ...SHAPE, ...more, '--out', at('mistake')]);
  const varied = await run('--data', at('cells'), '--augmentation', 'light');
  expect([varied.code, varied.stderr]).toEqual([
    2,
    expect.stringMatching(/mirrored together with their boxes/),
  ]);
  const parts = await run('--data', at('cells'), '--micro-batches', '2');
  expect([parts.code, parts.stderr]).toEqual([2, expect.stringMatching(/that of detection/)]);
  const other = await run('--data', 'scenes-expressions-tiny');
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringMatching(/expected pictures with boxes of classes/),
  ]);
});
