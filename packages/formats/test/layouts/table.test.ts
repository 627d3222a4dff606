import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BlipConfig,
  type ViltConfig,
  type DenseConfig,
  type TextStackConfig,
  type VisionTransformerConfig,
  modelOf,
  lxmertConfig,
  textStackConfig,
  visionTowerConfig,
  visionTransformerFamily,
} from '@winnow/core';
import fc from 'fast-check';
import type { Checkpoint } from '../../src/checkpoint/checkpoint';
import { FormatError, importModel, importVisionTransformer } from '../../src/index';
import { correspondences } from '../../src/layouts/correspondence';
import { blipNaming, savedNaming } from '../../src/layouts/hugging-face/blip-names';
import { lxmertNaming } from '../../src/layouts/hugging-face/lxmert';
import { viltNaming } from '../../src/layouts/hugging-face/vilt';
import { clipTextNaming } from '../../src/layouts/hugging-face/clip-text';
import { clipNaming } from '../../src/layouts/hugging-face/dual-encoder';
import { siglipNaming } from '../../src/layouts/hugging-face/siglip-dual-encoder';
import { siglipVisionNaming } from '../../src/layouts/hugging-face/siglip-vision';
import { visionTransformerNaming } from '../../src/layouts/hugging-face/vision-transformer';
import { defineLayout } from '../../src/layouts/layout';
import type { Naming } from '../../src/layouts/naming';
import { openClipNaming } from '../../src/layouts/open-clip/dual-encoder';
import { openClipSiglipNaming } from '../../src/layouts/open-clip/siglip';
import { layoutOf } from '../../src/layouts/recognise';
import { layouts } from '../../src/layouts/table';
import { timmNaming } from '../../src/layouts/timm/vision-transformer';
import {
  clipTexts,
  dualEncoders,
  one,
  randomValues,
  siglipClassifiers,
  siglips,
  visionTransformers,
} from '../random-model';
import { writeCheckpoint, zeros } from './checkpoints';

const scalar = openClipNaming({ textProjection: 'parameter', logitScale: 'scalar' });
const vector = openClipNaming({ textProjection: 'linear', logitScale: 'vector' });
const siglipPool = {
  ...one(siglipClassifiers),
  attentionPool: { headDim: 1, hiddenDim: 3 },
};
const { headInput: _, ...pooled } = siglipPool;
const block = { headDim: 2, hiddenDim: 3 };
const stack: TextStackConfig = {
  ...textStackConfig('nano', { vocabulary: 5, context: 3 }),
  ...{ embedDim: 4, heads: 2, denseHeadDim: 2, blocks: [{ ...block, cross: [{ headDim: 2 }] }] },
};
const blips = fc
  .constantFrom<Partial<BlipConfig> & Pick<BlipConfig, 'purpose'>>(
    { purpose: 'captions', decoder: stack },
    { purpose: 'questions', encoder: stack, decoder: stack },
    { purpose: 'retrieval', encoder: stack, embeddings: { projectionDim: 2 } },
  )
  .map((own): BlipConfig => {
    const vision = visionTowerConfig('nano', { imageSize: 4, patchSize: 2 });
    const tower = { ...vision.tower, embedDim: 6, heads: 3, denseHeadDim: 2, blocks: [block] };
    return { kind: 'blip', vision: { ...vision, tower }, tokens: { start: 0, end: 1 }, ...own };
  });
const vilts = fc
  .constantFrom<ViltConfig['head']>(
    { kind: 'answers', answers: 3 },
    { kind: 'statements' },
    { kind: 'retrieval' },
  )
  .map((head): ViltConfig => {
    const vision = visionTowerConfig('nano', { imageSize: 4, patchSize: 2 });
    const tower = { ...vision.tower, embedDim: 6, heads: 3, denseHeadDim: 2, blocks: [block] };
    const text = { vocabulary: 5, context: 3, endToken: 1, types: 2, normEpsilon: 1e-12 };
    return { kind: 'vilt', vision: { ...vision, tower }, text, modalities: 3, head };
  });
const smallLxmert = lxmertConfig('mini', { vocabulary: 5, context: 3, endToken: 1, features: 4, answers: 3 });
/** Models, and the namings that hold them. */
const kinds: readonly (readonly [fc.Arbitrary<DenseConfig>, readonly Naming[]])[] = [
  [clipTexts, [clipTextNaming]],
  [dualEncoders, [clipNaming, scalar, vector]],
  [blips, [savedNaming, blipNaming('text_decoder.cls.predictions.decoder.bias')]],
  [vilts, [viltNaming]],
  [fc.constant(smallLxmert), [lxmertNaming]],
  [siglips, [siglipNaming, openClipSiglipNaming('scalar'), openClipSiglipNaming('vector')]],
  [siglipClassifiers, [siglipVisionNaming('vision_model.'), siglipVisionNaming(''), timmNaming]],
  [fc.constant(pooled), [siglipVisionNaming('vision_model.'), timmNaming]],
  [
    visionTransformers,
    [
      timmNaming,
      visionTransformerNaming({ prefix: 'vit.', style: 'encoder.layer', distillation: 'none' }),
      visionTransformerNaming({ prefix: '', style: 'layers', distillation: 'head' }),
    ],
  ],
];

test('every naming holds every parameter once, in every model, and is recognised by one source', () => {
  fc.assert(
    fc.property(
      fc.oneof<fc.Arbitrary<readonly [DenseConfig, readonly Naming[]]>[]>(
        ...kinds.map(([configs, own]) => configs.map((config) => [config, own] as const)),
      ),
      ([config, own]) => {
        const paths = [...randomValues(config, 1).keys()].sort();
        const { specs } = modelOf(config);
        for (const naming of own) {
          const rows = correspondences({ specs, config }, naming);
          expect(rows.flatMap(({ parts }) => parts.map(({ path }) => path)).sort()).toEqual(paths);
          const tensors = new Map(
            rows.map(({ name, shape }) => [name, { dtype: 'float32', shape } as const] as const),
          );
          const found = layouts.filter((layout) => layout.recognises(tensors));
          expect(found.map(({ family }) => family.kind)).toContain(config.kind);
          expect(new Set(found.map(({ source }) => source)).size).toBe(1);
        }
      },
    ),
  );
  const held = kinds.map(([configs]) => one(configs).kind);
  expect([...new Set(held)].sort()).toEqual([...new Set(layouts.map(({ family }) => family.kind))].sort());
});

test('layouts with the same names of tensors are told apart by the type of the model', () => {
  // A tower by itself has the type of the model that it comes from, and other tensors.
  const types = layouts.flatMap(({ modelTypes = {}, family }) =>
    Object.keys(modelTypes).map((type) => `${family.kind} ${type}`),
  );
  expect(types.length).toBeGreaterThan(0);
  expect(new Set(types).size).toBe(types.length);
  const untyped = layouts.filter(({ modelTypes }) => modelTypes === undefined);
  const pairs = new Set(
    untyped.map(({ models, family, source }) => `${models}, a ${family.kind} of ${source}`),
  );
  expect(pairs.size).toBe(untyped.length);
});

describe('a layout more', () => {
  /** Names its tensors as a ViT of Hugging Face does, and is told from it by its type. */
  const more = defineLayout<VisionTransformerConfig>({
    family: visionTransformerFamily,
    source: 'Hugging Face',
    models: 'a ViT or DeiT',
    anchors: ['cls_token'],
    recognises: (tensors) => [...tensors.keys()].some((name) => name.endsWith('embeddings.cls_token')),
    modelTypes: { toy: 'toy' },
    read: () => ({ config: one(visionTransformers), naming: timmNaming, leftOut: () => undefined }),
  });
  const checkpointOf = (json: object): Checkpoint => ({
    file: 'model.safetensors',
    bytes: 0,
    tensors: new Map([['vit.embeddings.cls_token', { dtype: 'float32', shape: [1] }]]),
    config: { file: 'config.json', json },
    read: () => Promise.reject(new Error('nothing is read')),
    close: () => Promise.resolve(),
  });

  it('is chosen by the type of the model, beside those that are there', () => {
    const table = [...layouts, more];
    expect(layoutOf(checkpointOf({ model_type: 'toy' }), table)).toBe(more);
    expect(layoutOf(checkpointOf({ model_type: 'deit' }), table)).toBe(layouts[0]);
    expect(more.write(one(visionTransformers))).toBeUndefined();
  });

  it('is named among those that are expected', () => {
    const table = [...layouts, more];
    expect(() => layoutOf(checkpointOf({ model_type: 'swin' }), table)).toThrow(
      'config.json: not the configuration of a ViT or DeiT\n  at model_type: expected vit, deit, dinov2, dinov2_with_registers or toy, got "swin"',
    );
    expect(() => layoutOf(checkpointOf({ model_type: 'dinov3_vit' }), table)).toThrow(
      'got "dinov3_vit": models with rotary positions are not supported',
    );
  });
});

test('any other checkpoint is refused with what there might be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'winnow-'));
  try {
    await writeCheckpoint(folder, new Map([['a', zeros(1)]]));
    const vision =
      'expected a ViT or DeiT of Hugging Face or timm (a tensor called cls_token or patch_embed.proj.weight), or a SigLIP of ' +
      'Hugging Face';
    const dinov2 = 'or a DINOv2 of Hugging Face (a tensor called cls_token)';
    const clip =
      'or a CLIP of Hugging Face, open_clip or OpenAI (a tensor called class_embedding or token_embedding.weight)';
    const blip = 'or a BLIP of Hugging Face (a tensor called embeddings.word_embeddings.weight)';
    await expect(importModel(folder)).rejects.toThrow(FormatError);
    await expect(importModel(folder)).rejects.toThrow(
      `${vision} or open_clip (a tensor called patch_embedding.weight, logit_bias or token_embedding.weight), ${dinov2}, ${clip}, ${blip}, or a ViLT of Hugging Face (a tensor called vilt.embeddings.cls_token), or an LXMERT of Hugging Face (a tensor called lxmert.encoder.visn_fc.visn_fc.weight), got tensors like a`,
    );
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      `${vision} (a tensor called patch_embedding.weight), ${dinov2}, got tensors like a`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
