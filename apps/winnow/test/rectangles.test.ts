import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-rectangles-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const briefly = [...ENGINE, '--data', at('pictures'), '--batch-size', '4', '--augmentation', 'standard'];
const tall = { height: 24, width: 16 };

const json = async (...path: string[]) => JSON.parse(await readFile(at(...path), 'utf8'));
const sizeIn = async (...path: string[]) => (await json(...path, 'structure.json')).model.imageSize;

/** Runs a command that must succeed. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await winnow(args);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  return stdout;
}

beforeAll(() => makePictures(at('pictures')));
afterAll(() => rm(root, { recursive: true, force: true }));

const training = ['--patch-size', '8', '--duration', '2it', '--evaluate-every', '0it'];

test('a model of rectangles is trained, looked into, scored, cut, asked and exported', async () => {
  const mixed = ['--cutmix', '1', '--mixup', '0.5', '--erase-probability', '0.5'];
  await done('train', '--image-size', '24x16', ...briefly, ...training, ...mixed, '--out', at('dense'));
  expect(await sizeIn('dense', 'model')).toEqual(tall);
  expect(await done('inspect', at('dense'))).toMatch(/pictures of 24 × 16 px in patches of 8 px/);

  const scores = await done('evaluate', at('dense'), ...ENGINE);
  expect(scores).toMatch(/top1/);
  await done('evaluate', at('dense'), '--image-size', '16x32', ...ENGINE);

  await done(
    ...['compress', '--from', at('dense'), ...briefly, '--method', 'magnitude', '--budget', '0.5'],
    ...['--retrain', '1it', '--out', at('small')],
  );
  expect(await sizeIn('small', 'model')).toEqual(tall);
  expect(await done('predict', at('small'), at('pictures'), ...ENGINE)).toMatch(/png/);

  await done('export', at('dense'), '--format', 'hugging-face', '--out', at('theirs'));
  expect((await json('theirs', 'config.json')).image_size).toEqual([24, 16]);
  await done('import', at('theirs'), '--out', at('back'));
  expect(await sizeIn('back')).toEqual(tall);
  await done('import', at('theirs'), '--image-size', '16', '--out', at('squares'));
  expect(await sizeIn('squares')).toBe(16);
});

test('a config file says a size as the flag does, and a run of it goes on', async () => {
  const options = { imageSize: '24x16', patchSize: 8, duration: '2it', evaluateEvery: '0it', seed: 3 };
  await writeFile(at('config.json'), JSON.stringify(options));
  await done('train', '--config', at('config.json'), ...briefly, '--out', at('by-file'));
  const flags = [...training, '--seed', '3'];
  await done('train', '--image-size', '24x16', ...flags, ...briefly, '--out', at('by-flag'));
  const weights = (run: string) => readFile(at(run, 'model', 'model.safetensors'));
  expect((await weights('by-file')).equals(await weights('by-flag'))).toBe(true);
  const again = [...flags, ...briefly, '--out', at('by-flag'), '--resume'];
  await done('train', '--image-size', '24x16', ...again);
});

test.each([
  ['a size without a width', '24x', /--image-size.*: expected the side of squares, or height x width/],
  ['a size of no pixels', '0x16', /--image-size.*: expected the side of squares, or height x width/],
  ['a size that is too large', '5000x16', /--image-size.*: expected the side of squares.* \(1 to 4096\)/],
  ['patches that do not fill it', '24x20', /multiple of the patch size, got 24 × 20 px/],
])('%s is refused', async (_what, size, message) => {
  const { code, stderr } = await winnow([
    ...['train', '--image-size', size, ...briefly, ...training, '--out', at('never')],
  ]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test('a dual encoder reads rectangles, too', async () => {
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      [0, 1, 2, 3].map((number) => `pictures/${split}/${colour}/${number}.png,${colour} ${number},${split}`),
    ),
  );
  await writeFile(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
  const own = [...ENGINE, '--task', 'retrieval', '--data', at('captions.csv'), '--batch-size', '4'];
  await done('train', '--image-size', '16x24', ...own, ...training, '--out', at('pairs'));
  expect((await json('pairs', 'model', 'structure.json')).model.vision.imageSize).toEqual({
    height: 16,
    width: 24,
  });
  expect(await done('evaluate', at('pairs'), '--image-size', '24x16', ...ENGINE)).toMatch(/textR1/);
});
