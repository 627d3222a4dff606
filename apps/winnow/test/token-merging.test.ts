import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type VisionTransformerConfig,
  type VisionTransformerParams,
  disposeTree,
  initialize,
  visionTransformer,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { exportHuggingFace } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';
import { PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-token-merging-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const briefly = [...ENGINE, '--data', at('pictures'), '--batch-size', '4'];
const withoutTraining = ['--budget', '0.5', '--method', 'magnitude', '--retrain', '0ep'];

const vit: VisionTransformerConfig = {
  ...{ kind: 'vision-transformer', imageSize: 24, patchSize: 8, channels: 3, classes: 2 },
  ...{ distillation: 'none', embeddingNorm: false, patchBias: true },
  tower: {
    ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', causal: false, normEpsilon: 1e-6 },
    blocks: [
      { headDim: 8, hiddenDim: 32 },
      { headDim: 8, hiddenDim: 32 },
    ],
  },
};

const mergingIn = async (...path: string[]): Promise<unknown> =>
  JSON.parse(await readFile(at(...path, 'structure.json'), 'utf8')).model.merging;

const macsOf = async (...args: string[]): Promise<number> => {
  const { code, stdout } = await winnow(['evaluate', ...args, ...briefly, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout).macs;
};

beforeAll(async () => {
  await startEngine('wasm');
  await makePictures(at('pictures'));
  const model = visionTransformer(vit);
  const params = initialize<VisionTransformerParams>(model.specs, 1);
  await exportHuggingFace(at('vit'), { model, params });
  disposeTree(params);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a model merges tokens where it is asked to, keeps that in its files, and leaves it where it is asked to', async () => {
  const imported = await winnow([
    ...['import', at('vit'), '--merge-tokens', '2', '--merge-schedule', 'decreasing'],
    ...['--no-merge-proportional', '--out', at('merging')],
  ]);
  expect([imported.code, imported.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  expect(await mergingIn('merging')).toEqual({ perBlock: 2, schedule: 'decreasing', proportional: false });
  const inspected = await winnow(['inspect', at('merging')]);
  expect(inspected.stdout).toMatch(/tokens merged/);

  const [dense, merging] = [await macsOf(at('vit')), await macsOf(at('merging'))];
  expect(merging).toBeLessThan(dense);
  expect(await macsOf(at('merging'), '--merge-tokens', '0')).toBe(dense);
  expect(await macsOf(at('vit'), '--merge-tokens', '2')).toBeLessThan(dense);
});

test('a model that merges tokens is trained and compressed', async () => {
  const trained = await winnow([
    ...['train', '--from', at('vit'), '--head', 'new', '--merge-tokens', '2', ...briefly],
    ...['--duration', '2it', '--evaluate-every', '0it', '--out', at('trained')],
  ]);
  expect([trained.code, trained.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  expect(await mergingIn('trained', 'model')).toEqual({ perBlock: 2 });
  const compressed = await winnow([
    ...[
      'compress',
      '--from',
      at('trained'),
      ...briefly,
      ...withoutTraining,
      '--out',
      at('compressed'),
      '--prove',
      'full',
    ],
  ]);
  expect([compressed.code, compressed.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  expect(compressed.stdout).toContain(PROVED);
  expect(await mergingIn('compressed', 'model')).toEqual({ perBlock: 2 });
});

test('a model is reconstructed as if it merged nothing, and merges afterwards', async () => {
  const reconstructed = ['--reconstruct', '--calibration', '8'];
  for (const [out, merge] of [
    ['plainly', ['--merge-tokens', '0']],
    ['merged', ['--merge-tokens', '2']],
  ] as const) {
    const { code, stderr } = await winnow([
      ...['compress', '--from', at('trained'), ...merge, ...briefly, ...withoutTraining],
      ...[...reconstructed, '--out', at(out)],
    ]);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  }
  expect(await mergingIn('plainly', 'model')).toBeUndefined();
  expect(await mergingIn('merged', 'model')).toEqual({ perBlock: 2 });
  const weightsOf = (out: string) => readFile(at(out, 'model', 'model.safetensors'));
  expect((await weightsOf('merged')).equals(await weightsOf('plainly'))).toBe(true);
});

test.each([
  [
    'how, without how many',
    ['evaluate', at('vit'), '--merge-schedule', 'decreasing', ...briefly],
    /--merge-schedule says how tokens are merged: say with --merge-tokens how many/,
  ],
])('it is refused to say %s', async (_, args, message) => {
  const { code, stderr } = await winnow(args);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test('a layout of others has no room for it', async () => {
  await winnow(['import', at('vit'), '--merge-tokens', '1', '--out', at('single')]);
  const { code, stderr } = await winnow([
    ...['export', at('single'), '--format', 'hugging-face', '--out', at('exported')],
  ]);
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringMatching(/merging of tokens/)]);
  expect(code).not.toBe(0);
});
