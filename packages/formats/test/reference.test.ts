import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor,
  tidy,
  transpose,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import {
  type AnyDenseModel,
  type DualEncoder,
  type DualEncoderParams,
  type HostTensor,
  type HostTensors,
  type VisionTransformerConfig,
  disposeTree,
  downloadTree,
  dualEncoderFamily,
  entriesOf,
  leavesOf,
  retrieval,
  visionTransformerFamily,
  withLeaves,
} from '@winnow/core';
import { type ImportOptions, importModel, readSafetensors } from '../src/index';
import { correspondences, fromTheirs } from '../src/layouts/correspondence';
import { siglipNaming } from '../src/layouts/hugging-face/siglip-dual-encoder';
import type { Naming } from '../src/layouts/naming';
import { openClipSiglipNaming } from '../src/layouts/open-clip/siglip';
import { onEveryEngine } from './engines';

/** Models that `reference/make.py` made, with what their own libraries compute. */
const folderOf = (name: string): string => fileURLToPath(new URL(`./reference/${name}`, import.meta.url));
const TOLERANCE = 1e-4;

const present = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('expected a value');
  return value;
};
const upload = ({ values, shape, dtype }: HostTensor): Tensor => tensor(values, [...shape], dtype);
/** Pictures [B, C, H, W] → [B, H, W, C]. */
const picturesIn = (inputs: HostTensors, name = 'pixel_values'): Tensor4D =>
  transpose<Tensor4D>(upload(present(inputs.get(name))) as Tensor4D, [0, 2, 3, 1]);

function farthest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  // Not `Math.max`: a NaN anywhere must come out as NaN.
  return Array.from(actual).reduce((far, value, i) => {
    const distance = Math.abs(value - (expected[i] ?? NaN));
    return distance <= far ? far : distance;
  }, 0);
}

async function read(name: string, options: ImportOptions = {}) {
  const tensorsIn = async (file: string) =>
    (await readSafetensors(join(folderOf(name), `${file}.safetensors`))).tensors;
  const imported = await importModel(folderOf(name), options);
  return { imported, inputs: await tensorsIn('inputs'), expected: await tensorsIn('expected') };
}

function siglipIn(imported: AnyDenseModel): { model: DualEncoder; params: DualEncoderParams } {
  if (dualEncoderFamily.holds(imported)) return { model: imported.model, params: imported.params };
  throw new Error(`expected a dual encoder, got a ${imported.kind}`);
}

const kinds: readonly [name: string, config: Partial<VisionTransformerConfig>, layerScale: boolean][] = [
  ['deit3', { positioned: 'patches' }, true],
  ['registers', { positioned: 'patches', registers: 4 }, true],
  ['class-free', { classToken: false, headInput: 'mean' }, true],
  ['attention-pooled', { classToken: false, attentionPool: { headDim: 8, hiddenDim: 96 } }, false],
  ['siglip-classifier', { classToken: false, headInput: 'mean' }, false],
  ['rectangular-timm', { imageSize: { height: 64, width: 32 }, patchSize: 8 }, false],
  ['rectangular-vit', { imageSize: { height: 64, width: 32 }, patchSize: 8 }, false],
  ['interpolated-vit', { imageSize: 32, patchSize: 8 }, false],
];

/** SigLIPs of Hugging Face, and of open_clip, whose heads no name of a small model tells. */
const siglips: readonly [name: string, options: ImportOptions, naming: Naming][] = [
  ['siglip', {}, siglipNaming],
  ['siglip-open-clip', { heads: 3 }, openClipSiglipNaming('scalar')],
];

onEveryEngine('models as their libraries compute them', () => {
  it.each(kinds)('%s has the same logits', async (name, config, hasLayerScale) => {
    const { imported, inputs, expected } = await read(name);
    if (!visionTransformerFamily.holds(imported)) throw new Error(`expected a ViT, got a ${imported.kind}`);
    const { model, params } = imported;
    expect(model.config).toMatchObject(config);
    expect(model.config.tower.layerScale !== undefined).toBe(hasLayerScale);
    const logits = tidy(() => model.forward(params, { images: picturesIn(inputs) }).logits.dataSync());
    expect(farthest(logits, present(expected.get('logits')).values)).toBeLessThan(TOLERANCE);
    disposeTree(params);
  });

  it.each([
    ['rectangular-timm', { height: 32, width: 48 }],
    ['interpolated-vit', { height: 64, width: 24 }],
  ])('%s has the same logits of other rectangles, its positions resampled', async (name, imageSize) => {
    const { imported, inputs, expected } = await read(name, { imageSize });
    if (!visionTransformerFamily.holds(imported)) throw new Error(`expected a ViT, got a ${imported.kind}`);
    const { model, params } = imported;
    expect(model.config.imageSize).toEqual(imageSize);
    const logits = tidy(() =>
      model.forward(params, { images: picturesIn(inputs, 'resized') }).logits.dataSync(),
    );
    expect(farthest(logits, present(expected.get('resized')).values)).toBeLessThan(TOLERANCE);
    disposeTree(params);
  });

  it.each(siglips)('%s has the same embeddings and logits', async (name, options) => {
    const { imported, inputs, expected } = await read(name, options);
    const { model, params } = siglipIn(imported);
    expect(imported.leftOut).toEqual([]);
    const answers = tidy(() => {
      const tokens = upload(present(inputs.get('input_ids'))) as Tensor2D;
      const { logits, images, texts } = model.forward(params, { images: picturesIn(inputs), tokens });
      const values = { logits_per_image: logits, image_embeds: present(images), text_embeds: present(texts) };
      return Object.entries(values).map(([name, value]) => [name, value.dataSync()] as const);
    });
    for (const [name, values] of answers)
      expect(farthest(values, present(expected.get(name)).values)).toBeLessThan(TOLERANCE);
    disposeTree(params);
  });

  it.each(siglips)('%s has the same loss and all the same gradients', async (name, options, naming) => {
    const { imported, inputs, expected } = await read(name, options);
    const { model, params } = siglipIn(imported);
    const { config } = model;
    const { imageSize, channels } = config.vision;
    const { endToken } = config.text;
    const task = retrieval(model, { imageSize, channels, endToken, loss: config.loss });
    const groups = Int32Array.of(0, 1, 2);
    const batch = {
      ...{ size: 3, texts: 3, imageGroups: groups, textGroups: groups },
      images: tidy(() => picturesIn(inputs).dataSync<'float32'>()),
      tokens: Int32Array.from(present(inputs.get('input_ids')).values),
    };
    const { value, grads } = tidy(() =>
      valueAndGrads((...leaves: Tensor[]): Scalar =>
        task.loss(task.predict(withLeaves(params, leaves), batch), batch),
      )(leavesOf(params)),
    );
    expect(farthest(await value.data(), present(expected.get('loss')).values)).toBeLessThan(TOLERANCE);
    const theirs = new Map(
      [...expected].flatMap(([key, host]): [string, HostTensor][] =>
        key.startsWith('grad.') ? [[key.slice('grad.'.length), host]] : [],
      ),
    );
    const table = correspondences(model, naming);
    expect([...theirs.keys()].sort()).toEqual([...new Set(table.map(({ name }) => name))].sort());
    const wanted = fromTheirs(table, theirs);
    const gradients: DualEncoderParams = withLeaves(params, grads);
    const actual = await downloadTree(gradients);
    const far = entriesOf(params)
      .map(([path]) => [path, farthest(present(actual.get(path)).values, present(wanted.get(path)).values)])
      .filter(([, distance]) => !(Number(distance) < TOLERANCE));
    expect(Object.fromEntries(far)).toEqual({});
    disposeTree([params, gradients]);
    value.dispose();
  });
});
