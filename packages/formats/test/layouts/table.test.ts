import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DenseConfig, modelOf } from '@winnow/core';
import fc from 'fast-check';
import { FormatError, importModel, importVisionTransformer } from '../../src/index';
import { correspondences } from '../../src/layouts/correspondence';
import { clipTextNaming } from '../../src/layouts/hugging-face/clip-text';
import { clipNaming } from '../../src/layouts/hugging-face/dual-encoder';
import { visionTransformerNaming } from '../../src/layouts/hugging-face/vision-transformer';
import type { Naming } from '../../src/layouts/naming';
import { openClipNaming } from '../../src/layouts/open-clip/dual-encoder';
import { layouts } from '../../src/layouts/table';
import { timmNaming } from '../../src/layouts/timm/vision-transformer';
import { clipTexts, dualEncoders, randomValues, visionTransformers } from '../random-model';
import { writeCheckpoint, zeros } from './checkpoints';

const scalar = openClipNaming({ textProjection: 'parameter', logitScale: 'scalar' });
const vector = openClipNaming({ textProjection: 'linear', logitScale: 'vector' });
const namings: Readonly<Record<string, readonly Naming[]>> = {
  'clip-text': [clipTextNaming],
  'dual-encoder': [clipNaming, scalar, vector],
  'vision-transformer': [
    timmNaming,
    visionTransformerNaming({ prefix: 'vit.', style: 'encoder.layer', distillation: 'none' }),
    visionTransformerNaming({ prefix: '', style: 'layers', distillation: 'head' }),
  ],
};

test('every naming holds every parameter once, in every model, and is recognised by one source', () => {
  fc.assert(
    fc.property(
      fc.oneof<fc.Arbitrary<DenseConfig>[]>(visionTransformers, dualEncoders, clipTexts),
      (config) => {
        const paths = [...randomValues(config, 1).keys()].sort();
        const { specs } = modelOf(config);
        for (const naming of namings[config.kind] ?? []) {
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
  expect(Object.keys(namings).sort()).toEqual([...new Set(layouts.map(({ family }) => family.kind))].sort());
});

test('layouts with the same names of tensors are told apart by the type of the model', () => {
  const types = layouts.flatMap(({ modelTypes = {} }) => Object.keys(modelTypes));
  expect(types.length).toBeGreaterThan(0);
  expect(new Set(types).size).toBe(types.length);
  const pairs = new Set(layouts.map(({ family, source }) => `${family.kind} of ${source}`));
  expect(pairs.size).toBe(layouts.length);
});

test('any other checkpoint is refused with what there might be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'winnow-'));
  try {
    await writeCheckpoint(folder, new Map([['a', zeros(1)]]));
    const vision = 'expected a ViT or DeiT of Hugging Face or timm (a tensor called cls_token)';
    const clip =
      'a CLIP of Hugging Face, open_clip or OpenAI (a tensor called class_embedding or token_embedding.weight)';
    await expect(importModel(folder)).rejects.toThrow(FormatError);
    await expect(importModel(folder)).rejects.toThrow(`${vision}, or ${clip}, got tensors like a`);
    await expect(importVisionTransformer(folder)).rejects.toThrow(`${vision}, got tensors like a`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
