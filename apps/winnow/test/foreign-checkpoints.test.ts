import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VisionTransformerParams, disposeTree, initialize, visionTransformer } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { exportHuggingFace, readPreparation, readSafetensors } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';
import { timmTensors, writeCheckpoint } from './checkpoints';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-foreign-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const onPictures = ['--data', at('pictures'), ...ENGINE, '--batch-size', '4'];

const trainFrom = (from: string, out: string, ...more: string[]) =>
  winnow([
    ...['train', '--from', at(from), ...onPictures, '--duration', '1it', '--evaluate-every', '0it'],
    ...['--out', at(out), ...more],
  ]);
const structureOf = (...path: string[]) => JSON.parse(readFileSync(at(...path, 'structure.json'), 'utf8'));

const narrow = { width: 16, hidden: 32 };
const vit = {
  ...{ model_type: 'vit', architectures: ['ViTForImageClassification'], hidden_size: 16 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, image_size: 16, patch_size: 8 },
};
/** A ViT of Hugging Face with two classes. */
async function vitTensors() {
  const block = { headDim: 8, hiddenDim: 32 };
  const model = visionTransformer({
    ...{ kind: 'vision-transformer', imageSize: 16, patchSize: 8, channels: 3, classes: 2 },
    ...{ distillation: 'none', embeddingNorm: false, patchBias: true },
    tower: {
      ...{ embedDim: 16, heads: 2, denseHeadDim: 8, activation: 'gelu', causal: false },
      ...{ normEpsilon: 1e-12, blocks: [block] },
    },
  });
  const params = initialize<VisionTransformerParams>(model.specs, 1);
  await exportHuggingFace(at('exported'), { model, params });
  disposeTree(params);
  return (await readSafetensors(at('exported', 'model.safetensors'))).tensors;
}

beforeAll(async () => {
  await startEngine('wasm');
  await makePictures(at('pictures'));
  const whole = await vitTensors();
  const bare = [...whole]
    .filter(([name]) => !name.startsWith('classifier.'))
    .map(([name, tensor]) => [name.replace(/^vit\./, ''), tensor] as const);
  await writeCheckpoint(at('headless-vit'), new Map(bare), {
    'config.json': { ...vit, architectures: ['ViTModel'] },
  });
  await writeCheckpoint(at('headless-timm'), timmTensors({ ...narrow, classes: 0 }), {
    'config.json': { architecture: 'vit_tiny_patch8_16', num_heads: 2, num_classes: 0, global_pool: 'token' },
  });
  await writeCheckpoint(at('lone'), timmTensors({ ...narrow, classes: 2 }));
  await writeCheckpoint(at('tiny'), timmTensors({ width: 192, hidden: 8, classes: 2 }));
  await cp(at('tiny', 'model.safetensors'), at('deit_tiny.safetensors'));
  const nan = new Map(whole);
  const bias = whole.get('vit.encoder.layer.0.output.dense.bias');
  if (bias?.dtype !== 'float32') throw new Error('expected a bias');
  const values = Float32Array.from(bias.values, (value, i) => (i === 3 ? NaN : value));
  nan.set('vit.encoder.layer.0.output.dense.bias', { ...bias, values });
  await writeCheckpoint(at('nan'), nan, { 'config.json': vit });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a checkpoint without a classifier', () => {
  test.each([
    ['headless-vit', []],
    ['headless-vit', ['--head', 'new']],
    ['headless-timm', ['--head', 'new']],
  ])('is trained on with a fresh one: %s %j', async (from, more) => {
    const out = `on-${from}${more.length}`;
    const { code, stderr } = await trainFrom(from, out, ...more);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
    expect(stderr).toMatch(more.length === 0 ? /it has no head, so one is drawn/ : /a new head is drawn/);
    expect(structureOf(out, 'model').model.classes).toBe(2);
  });

  test('is refused elsewhere, with a command that makes one', async () => {
    for (const command of [
      ['evaluate', at('headless-vit'), ...onPictures],
      ['compress', '--from', at('headless-vit'), ...onPictures, '--out', at('refused')],
      ['import', at('headless-vit'), '--out', at('refused')],
    ]) {
      const { code, stderr } = await winnow(command);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/expected a classifier .* winnow train --from … --head new/),
      ]);
    }
  });
});

describe('a lone file of weights', () => {
  test('has the attention heads of the published models of its width, and a line says so', async () => {
    const { code, stderr } = await trainFrom('deit_tiny.safetensors', 'on-tiny', '--head', 'new');
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
    expect(stderr).toMatch(
      /nothing says how many attention heads it has: taken to be 3, as in the published models/,
    );
    expect(structureOf('on-tiny', 'model').model.tower.heads).toBe(3);
  });

  test('of another width needs to be told them, by a flag that there is', async () => {
    const { code, stderr } = await trainFrom('lone', 'refused');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /no published model is 16 wide; say it with --heads of winnow import or winnow train/,
      ),
    ]);
    expect((await trainFrom('lone', 'on-lone', '--heads', '4')).code).toBe(0);
    expect(structureOf('on-lone', 'model').model.tower.heads).toBe(4);
    expect((await winnow(['import', at('lone'), '--heads', '2', '--out', at('imported')])).code).toBe(0);
    expect(structureOf('imported').model.tower.heads).toBe(2);
  });

  test('says itself what it says: a flag against it is refused', async () => {
    const other = await winnow(['import', at('exported'), '--heads', '4', '--out', at('refused')]);
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/expected 2 attention heads, as its configuration says, got 4; leave --heads/),
    ]);
    const ours = await trainFrom('imported', 'refused', '--heads', '4');
    expect([ours.code, ours.stderr]).toEqual([2, expect.stringMatching(/--heads: .* says it itself/)]);
  });
});

test('weights that are no numbers are refused by every command that reads them, with their tensor', async () => {
  for (const command of [
    ['import', at('nan'), '--out', at('refused')],
    ['evaluate', at('nan'), ...onPictures],
    ['compress', '--from', at('nan'), '--method', 'random', ...onPictures, '--out', at('refused')],
    ['train', '--from', at('nan'), ...onPictures, '--out', at('refused')],
  ]) {
    const { code, stderr } = await winnow(command);
    expect([command[0], code, stderr]).toEqual([
      command[0],
      2,
      expect.stringMatching(
        /tensor vit\.encoder\.layer\.0\.output\.dense\.bias: expected finite weights, got NaN at 3/,
      ),
    ]);
  }
  expect(existsSync(at('refused', 'structure.json'))).toBe(false);
});

describe('how pictures are prepared', () => {
  const halves = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  const processor = {
    ...{ image_processor_type: 'ViTImageProcessor', do_normalize: true, image_mean: [0.5, 0.5, 0.5] },
    ...{ image_std: [0.5, 0.5, 0.5], size: { height: 16, width: 16 } },
  };
  const imported = async (json: Readonly<Record<string, object>>, out: string) => {
    const { tensors } = await readSafetensors(at('exported', 'model.safetensors'));
    await writeCheckpoint(at(`from-${out}`), tensors, { 'config.json': vit, ...json });
    return winnow(['import', at(`from-${out}`), '--out', at(out)]);
  };

  test('is read from the processor of transformers 5', async () => {
    const { stderr } = await imported({ 'processor_config.json': { image_processor: processor } }, 'five');
    expect(stderr).toBe('');
    expect(await readPreparation(at('five'), 16)).toEqual({
      ...halves,
      processor: 'ViTImageProcessor',
      geometry: {
        resize: { kind: 'squash', height: 16, width: 16 },
        ...{ interpolation: 'bilinear', arithmetic: 'torch', halves: 'down' },
      },
    });
  });

  test('is said where nothing says it, or where the pictures have another size than the model takes', async () => {
    expect((await imported({}, 'silent')).stderr).toMatch(
      /no preprocessor_config\.json says how its pictures are prepared: it is done in the usual way of ViTImageProcessor/,
    );
    const large = { ...processor, size: { height: 32, width: 32 } };
    expect((await imported({ 'preprocessor_config.json': large }, 'large')).stderr).toMatch(
      /preprocessor_config\.json makes pictures of 32 px, the model takes 16: its lengths are scaled to that/,
    );
  });
});
