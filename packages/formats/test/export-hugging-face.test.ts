import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClipTextConfig,
  type DualEncoderConfig,
  type VisionTransformerConfig,
  anyModel,
  atImageSize,
  disposeTree,
  downloadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { FormatError, exportHuggingFace, importModel } from '../src/index';
import {
  clipTexts,
  dinov2s,
  dualEncoders,
  one,
  randomValues,
  siglipClassifiers,
  siglips,
  visionTransformers,
} from './random-model';

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

type Configs = ClipTextConfig | DualEncoderConfig | VisionTransformerConfig;

async function exported(config: Configs, seed = 1): Promise<void> {
  const { model, params } = anyModel(config, randomValues(config, seed));
  try {
    await exportHuggingFace(folder, { model, params });
  } finally {
    disposeTree(params);
  }
}

describe('a model that is exported for Hugging Face and imported again', () => {
  it.each([
    ['vision-transformer', visionTransformers],
    ['vision-transformer', dinov2s],
    ['clip-text', clipTexts],
    ['dual-encoder', dualEncoders],
    ['dual-encoder', siglips],
    ['vision-transformer', siglipClassifiers],
  ] as const)('is the same bit for bit: %s', async (_, configs) => {
    await fc.assert(
      fc.asyncProperty<[Configs, number]>(configs, fc.nat(), async (config, seed) => {
        await exported(config, seed);
        const imported = await importModel(folder);
        expect(imported.kind).toBe(config.kind);
        expect(imported.model.config).toEqual(config);
        expect(await downloadTree(imported.params)).toEqual(randomValues(config, seed));
        const pretraining = /mask_token: only pre-training reads it$/;
        expect(imported.leftOut.filter((line) => !pretraining.test(line))).toEqual([]);
        disposeTree(imported.params);
      }),
      { numRuns: 25 },
    );
  });
});

it.each<[string, Configs, string]>([
  ['CLIP', one(dualEncoders), 'the CLIP'],
  ['SigLIP', one(siglips), 'the SigLIP'],
  ['SigLIP as a classifier', one(siglipClassifiers), 'the SigLIP'],
])(
  'a model of rectangles is refused by name where transformers has squares alone: %s',
  async (_, config, name) => {
    await expect(
      exported(atImageSize(config, { height: 6, width: 12 }, 'bicubic').config as Configs),
    ).rejects.toThrow(
      `expected square pictures, the only ones that ${name} of transformers has, got 6 × 12 px`,
    );
  },
);

it('layer scale of 1 is written as the number with a point that transformers asks for', async () => {
  const dinov2 = one(dinov2s.filter(({ tower }) => tower.layerScale === 1));
  await exported(dinov2);
  expect(await readFile(join(folder, 'config.json'), 'utf8')).toContain('"layerscale_value": 1.0,');
});

describe('a CLIP that config.json has no words for', () => {
  const dual = {
    ...one(dualEncoders),
    text: { ...one(dualEncoders).text, vocabulary: 6, context: 4, endToken: 5 },
  };
  const { vision, text } = dual;
  const first = { headDim: text.tower.denseHeadDim, hiddenDim: 4 };
  const cutText = { ...text, tower: { ...text.tower, blocks: [first, { ...first, hiddenDim: 2 }] } };
  const cutVision = {
    ...vision,
    tower: { ...vision.tower, blocks: [{ headDim: vision.tower.denseHeadDim + 1, hiddenDim: 4 }] },
  };

  const siglip = one(siglips);
  const { classToken: _, ...withoutMark } = siglip.vision;

  it.each<[string, Configs, RegExp]>([
    [
      'text layers of different sizes',
      { ...dual, text: cutText },
      /4 hidden units in every layer of the text tower, .* 2 hidden units in layer 1; save it in our own format/,
    ],
    [
      'fewer heads in a layer',
      {
        ...dual,
        text: {
          ...text,
          tower: { ...text.tower, blocks: [first, { ...first, heads: text.tower.heads - 1 }] },
        },
      },
      /in every layer of the text tower, got \d+ heads of \d+ and 4 hidden units in layer 1/,
    ],
    ['smaller heads', { ...dual, vision: cutVision }, /in every layer of the vision tower, got \d+ heads of/],
    [
      'a DeiT as its vision tower',
      { ...dual, vision: { ...vision, embeddingNorm: false, patchBias: true } },
      /expected CLIP's vision tower.*got embeddingNorm false, patchBias true/,
    ],
    [
      'a text tower that is not causal',
      { ...dual, text: { ...text, tower: { ...text.tower, causal: false } } },
      /expected a causal text tower/,
    ],
    ['an end token of 2', { ...dual, text: { ...text, endToken: 2 } }, /expected an end token other than 2/],
    [
      'the text tower by itself, layers of different sizes',
      { ...one(clipTexts), tower: cutText.tower },
      /4 hidden units in every layer, .* 2 hidden units in layer 1/,
    ],
    [
      "SigLIP's loss beside CLIP's projections",
      { ...dual, loss: 'sigmoid' },
      /transformers has no model like a dual-encoder/,
    ],
    [
      'a SigLIP with a class token',
      { ...siglip, vision: { ...withoutMark, registers: 1 } },
      /expected SigLIP's vision tower, got one with register tokens/,
    ],
    [
      'a SigLIP with a smaller attention pool',
      { ...siglip, vision: { ...siglip.vision, attentionPool: { headDim: 9, hiddenDim: 4 } } },
      /in every layer of the vision tower, got \d+ heads of/,
    ],
    [
      'a SigLIP whose text tower is causal',
      { ...siglip, text: { ...siglip.text, tower: { ...siglip.text.tower, causal: true } } },
      /expected SigLIP's text tower, got one with a causal mask/,
    ],
    [
      'a SigLIP that reads the end of a text',
      { ...siglip, text: { ...siglip.text, endToken: 3 } },
      /which reads the last place, got the end token 3/,
    ],
    [
      "CLIP's norm in a ViT",
      { ...one(visionTransformers), embeddingNorm: true },
      /a plain ViT, got one with a norm before the first block/,
    ],
  ])('is refused, and nothing is written: %s', async (_, config, message) => {
    const failure = exported(config);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is another matter where 2 is the greatest token there is, and where the greatest ends a text', async () => {
    for (const endToken of [2, 'greatest'] as const) {
      await exported({ ...dual, text: { ...text, vocabulary: 3, endToken } });
      const { text_config: written } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
      expect(written.eos_token_id).toBe(2);
      const imported = await importModel(folder);
      expect(imported.model.config).toEqual({
        ...dual,
        text: { ...text, vocabulary: 3, endToken: 'greatest' },
      });
      disposeTree(imported.params);
    }
  });
});
