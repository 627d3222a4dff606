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
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-image-size-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const briefly = [...ENGINE, '--data', at('pictures'), '--batch-size', '4'];

/** A DINOv2 with registers, for pictures of 24 px. */
const dinov2: VisionTransformerConfig = {
  ...{ kind: 'vision-transformer', imageSize: 24, patchSize: 8, channels: 3, classes: 2 },
  ...{ distillation: 'none', registers: 2, positioned: 'without-registers', embeddingNorm: false },
  ...{ patchBias: true, headInput: 'class-and-mean' },
  tower: {
    ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', causal: false, normEpsilon: 1e-6 },
    ...{ layerScale: 1, blocks: [{ headDim: 8, hiddenDim: 32 }] },
  },
};

const configIn = async (...path: string[]) =>
  JSON.parse(await readFile(at(...path, 'structure.json'), 'utf8')).model;

beforeAll(async () => {
  await startEngine('wasm');
  await makePictures(at('pictures'));
  const model = visionTransformer(dinov2);
  const params = initialize<VisionTransformerParams>(model.specs, 1);
  await exportHuggingFace(at('dinov2'), { model, params });
  disposeTree(params);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a DINOv2 is trained on at another size, with all that it has; what becomes of it, too', async () => {
  const trained = await winnow([
    ...['train', '--from', at('dinov2'), '--head', 'new', '--image-size', '16', ...briefly],
    ...['--duration', '1it', '--evaluate-every', '0it', '--out', at('trained')],
  ]);
  expect([trained.code, trained.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  expect(await configIn('trained', 'model')).toEqual({ ...dinov2, imageSize: 16 });

  const evaluated = await winnow(['evaluate', at('trained'), '--image-size', '32', ...ENGINE]);
  expect([evaluated.code, evaluated.stdout]).toEqual([0, expect.stringMatching(/top1/)]);

  const compressed = await winnow([
    ...['compress', '--from', at('trained'), '--image-size', '24', ...briefly, '--method', 'magnitude'],
    ...['--budget', '0.5', '--retrain', '1it', '--out', at('compressed')],
  ]);
  expect([compressed.code, compressed.stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  const { imageSize, headInput, registers, tower } = await configIn('compressed', 'model');
  expect([imageSize, headInput, registers, tower.layerScale]).toEqual([24, 'class-and-mean', 2, 1]);
});

test('a checkpoint becomes a model of ours at another size', async () => {
  const { code } = await winnow(['import', at('dinov2'), '--image-size', '40', '--out', at('imported')]);
  expect(code).toBe(0);
  expect(await configIn('imported')).toEqual({ ...dinov2, imageSize: 40 });
  const again = await winnow(['evaluate', at('imported'), '--image-size', '20', ...briefly]);
  expect([again.code, again.stderr]).toEqual([
    2,
    expect.stringMatching(
      /--image-size: .*expected an image size that is a multiple of the patch size, got 20 px/,
    ),
  ]);
});

test.each([
  ['dinov2', 25],
  ['dinov2', 4],
])('patches that do not fill the pictures are refused: %s at %i px', async (from, size) => {
  const { code, stderr } = await winnow([
    ...['import', at(from), '--image-size', String(size), '--out', at('never')],
  ]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/multiple of the patch size/)]);
});
