import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClipTextConfig,
  type DualEncoderConfig,
  type HostTensor,
  disposeTree,
  downloadTree,
  modelOf,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { correspondences, toTheirs } from '../src/checkpoint/correspondence';
import { clipNaming, clipTextNaming } from '../src/hugging-face/clip-naming';
import {
  type ImportOptions,
  FormatError,
  importModel,
  importVisionTransformer,
  writeSafetensors,
} from '../src/index';
import { openClipNaming } from '../src/open-clip/clip-naming';
import { clipTexts, dualEncoders, randomValues } from './random-model';

const D = 128;
/** Towers of one layer; the text tower is 64 wide, as OpenAI's files say nothing of the number of heads. */
const dual: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 5,
  vision: {
    imageSize: 4,
    patchSize: 2,
    channels: 3,
    distillation: 'none',
    embeddingNorm: true,
    patchBias: false,
    tower: {
      embedDim: D,
      heads: 2,
      denseHeadDim: 64,
      activation: 'quick-gelu',
      causal: false,
      normEpsilon: 1e-5,
      blocks: [{ headDim: 64, hiddenDim: 6 }],
    },
  },
  text: {
    vocabulary: 9,
    context: 4,
    endToken: 8,
    tower: {
      embedDim: 64,
      heads: 1,
      denseHeadDim: 64,
      activation: 'quick-gelu',
      causal: true,
      normEpsilon: 1e-5,
      blocks: [{ headDim: 64, hiddenDim: 7 }],
    },
  },
};
const text: ClipTextConfig = { kind: 'clip-text', projectionDim: 5, ...dual.text };

/** As open_clip and OpenAI's code read it: they know no other end than the greatest token. */
const argmaxDual: DualEncoderConfig = { ...dual, text: { ...dual.text, endToken: 'greatest' } };

const textJson = {
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 7,
  vocab_size: 9,
  max_position_embeddings: 4,
  projection_dim: 5,
  eos_token_id: 8,
};
const visionJson = {
  hidden_size: D,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 6,
  image_size: 4,
  patch_size: 2,
};
const json = { model_type: 'clip', projection_dim: 5, text_config: textJson, vision_config: visionJson };
const textModelJson = { model_type: 'clip_text_model', ...textJson };
const openClipJson = {
  embed_dim: 5,
  quick_gelu: true,
  vision_cfg: { image_size: 4, patch_size: 2, layers: 1, width: D, mlp_ratio: 6 / D },
  text_cfg: { context_length: 4, vocab_size: 9, width: 64, heads: 1, layers: 1, mlp_ratio: 7 / 64 },
};

const openClipNames = openClipNaming({ textProjection: 'parameter', logitScale: 'scalar' });
/** Our values of the two models, whose shapes no test changes. */
const values = { 'dual-encoder': randomValues(dual, 1), 'clip-text': randomValues(text, 1) };
const theirsOf = (
  config: ClipTextConfig | DualEncoderConfig,
  naming: Parameters<typeof correspondences>[1],
) => toTheirs(correspondences(modelOf(config), naming), values[config.kind]);
const float = (shape: number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  values: new Float32Array(shape.reduce((product, extent) => product * extent, 1)),
});
const integer = (value: number): HostTensor => ({ dtype: 'int32', shape: [], values: Int32Array.of(value) });

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(
  tensors: ReadonlyMap<string, HostTensor>,
  { config, openClip }: { config?: object; openClip?: object } = {},
): Promise<void> {
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  if (config !== undefined) await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  if (openClip !== undefined) {
    await writeFile(join(folder, 'open_clip_config.json'), JSON.stringify({ model_cfg: openClip }));
  }
}

/** Imports what was written, and expects the very values that were. */
async function expectImported(
  config: ClipTextConfig | DualEncoderConfig,
  options?: ImportOptions,
): Promise<readonly string[]> {
  const { model, params, leftOut } = await importModel(folder, options);
  expect(model.config).toEqual(config);
  expect(await downloadTree(params)).toEqual(values[config.kind]);
  disposeTree(params);
  return leftOut;
}

describe('the tables of names', () => {
  const ours = values['dual-encoder'];
  const openClip = theirsOf(dual, openClipNames);
  const huggingFace = theirsOf(dual, clipNaming);
  const valueOf = (tensors: ReadonlyMap<string, HostTensor>, name: string, ...place: number[]) => {
    const { shape = [], values: stored = [] } = tensors.get(name) ?? {};
    expect(place).toHaveLength(shape.length);
    return stored[place.reduce((offset, index, axis) => offset * (shape[axis] ?? 0) + index, 0)];
  };

  it('put projections, tokens and scales where PyTorch has them', () => {
    expect(huggingFace.get('logit_scale')?.shape).toEqual([]);
    expect(huggingFace.get('vision_model.embeddings.class_embedding')?.shape).toEqual([D]);
    for (let d = 0; d < D; d++) {
      for (let p = 0; p < 5; p++) {
        const here = valueOf(ours, 'visionProjection', d, p);
        expect(valueOf(huggingFace, 'visual_projection.weight', p, d)).toBe(here);
        expect(valueOf(openClip, 'visual.proj', d, p)).toBe(here);
      }
    }
    for (let d = 0; d < 64; d++) {
      const here = valueOf(ours, 'textProjection', d, 2);
      expect(valueOf(huggingFace, 'text_projection.weight', 2, d)).toBe(here);
      expect(valueOf(openClip, 'text_projection', d, 2)).toBe(here);
      const word = valueOf(ours, 'text.tokenEmbedding', 3, d);
      expect(valueOf(huggingFace, 'text_model.embeddings.token_embedding.weight', 3, d)).toBe(word);
      expect(valueOf(openClip, 'token_embedding.weight', 3, d)).toBe(word);
    }
  });

  it('put query, key and value one below the other in open_clip', () => {
    for (const [part, name] of ['query', 'key', 'value'].entries()) {
      for (let out = 0; out < D; out++) {
        expect(
          valueOf(openClip, 'visual.transformer.resblocks.0.attn.in_proj_weight', part * D + out, 3),
        ).toBe(valueOf(ours, `vision.blocks.0.attention.${name}.weight`, 3, out));
        expect(valueOf(openClip, 'visual.transformer.resblocks.0.attn.in_proj_bias', part * D + out)).toBe(
          valueOf(ours, `vision.blocks.0.attention.${name}.bias`, out),
        );
      }
    }
  });

  it('hold every parameter once, in every model', () => {
    fc.assert(
      fc.property(fc.oneof(dualEncoders, clipTexts), (config) => {
        const paths = [...randomValues(config, 1).keys()].sort();
        const namings = config.kind === 'clip-text' ? [clipTextNaming] : [clipNaming, openClipNames];
        for (const naming of namings) {
          const table = correspondences(modelOf(config), naming);
          expect(table.flatMap(({ parts }) => parts.map(({ path }) => path)).sort()).toEqual(paths);
        }
      }),
    );
  });
});

describe('a CLIP of Hugging Face', () => {
  it('is imported with both towers', async () => {
    await write(theirsOf(dual, clipNaming), { config: json });
    expect(await expectImported(dual)).toEqual([]);
  });

  it('is imported as a text tower with its projection', async () => {
    await write(theirsOf(text, clipTextNaming), { config: textModelJson });
    expect(await expectImported(text)).toEqual([]);
  });

  it('may hold the numbers of the positions, which are left out', async () => {
    const tensors = theirsOf(dual, clipNaming);
    const positions: HostTensor = { dtype: 'int32', shape: [1, 4], values: Int32Array.of(0, 1, 2, 3) };
    tensors.set('text_model.embeddings.position_ids', positions);
    await write(tensors, { config: json });
    expect(await expectImported(dual)).toEqual([
      'text_model.embeddings.position_ids: positions are counted, not stored',
    ]);
  });

  it.each([
    ['the greatest token of a text, where old configurations say 2', { eos_token_id: 2 }, 'greatest'],
    ['the one that the configuration says', { eos_token_id: 5 }, 5],
  ] as const)('ends texts with %s', async (_, fields, endToken) => {
    await write(theirsOf(text, clipTextNaming), { config: { ...textModelJson, ...fields } });
    await expectImported({ ...text, endToken });
  });

  it('believes the fields of old configurations that end in _dict', async () => {
    await write(theirsOf(dual, clipNaming), {
      config: {
        ...json,
        text_config: { ...textJson, vocab_size: 10 },
        text_config_dict: textJson,
        vision_config_dict: null,
      },
    });
    await expectImported(dual);
  });

  it.each([
    [
      { model_type: 'siglip' },
      /at model_type: expected clip \(both towers\) or clip_text_model .* got "siglip"/,
    ],
    [{ model_type: 'clip_vision_model' }, /at model_type: expected clip/],
    [{ text_config: { ...textJson, hidden_act: 'relu' } }, /at text_config\.hidden_act/],
    [{ text_config: { ...textJson, eos_token_id: 9 } }, /at text_config\.eos_token_id: expected a token/],
    [
      { text_config: { ...textJson, num_attention_heads: 3 } },
      /at text_config\.hidden_size: expected a multiple/,
    ],
    [
      { vision_config: { ...visionJson, image_size: 5 } },
      /at vision_config\.image_size: expected a multiple/,
    ],
  ])('is refused where its configuration says %j', async (fields, message) => {
    await write(theirsOf(dual, clipNaming), { config: { ...json, ...fields } });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
  });

  it.each([
    ['text_model.', ''],
    ['', 'text_model.'],
  ])('is refused as a text tower without a projection, named %j', async (prefix, other) => {
    const tensors = [...theirsOf(text, clipTextNaming)].filter(([name]) => name !== 'text_projection.weight');
    const named = tensors.map(([name, tensor]) => [name.replace(/^text_model\./, prefix), tensor] as const);
    expect(named.some(([name]) => other !== '' && name.startsWith(other))).toBe(false);
    await write(new Map(named), { config: textModelJson });
    await expect(importModel(folder)).rejects.toThrow(
      /missing text_projection\.weight \[5, 64\]: this is a CLIPTextModel.*save it as a CLIPTextModelWithProjection/,
    );
  });

  it('lists tensors that are missing, extra, misshapen or of another type by their own names', async () => {
    const tensors = theirsOf(dual, clipNaming);
    tensors.delete('vision_model.pre_layrnorm.bias');
    tensors.set('more', float([2]));
    tensors.set('visual_projection.weight', float([D, 5]));
    tensors.set('logit_scale', integer(4));
    await write(tensors, { config: json });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(/missing vision_model\.pre_layrnorm\.bias \[128\]/);
    await expect(failure).rejects.toThrow(/extra more \[2\]/);
    await expect(failure).rejects.toThrow(/visual_projection\.weight: expected \[5, 128\], got \[128, 5\]/);
    await expect(failure).rejects.toThrow(/logit_scale: expected floating-point values, got integers/);
  });

  it('needs its configuration, has no classifier, and is no vision transformer', async () => {
    const tensors = theirsOf(dual, clipNaming);
    await write(tensors);
    await expect(importModel(folder)).rejects.toThrow(/expected a config\.json beside/);
    await write(tensors, { config: json });
    await expect(importModel(folder, { newHead: { classes: 2, seed: 1 } })).rejects.toThrow(
      /expected a model with a classifier for the option `newHead`, got a CLIP/,
    );
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected a ViT or DeiT .* got tensors like/,
    );
  });
});

describe('a CLIP of open_clip', () => {
  it('is imported with its configuration', async () => {
    await write(theirsOf(dual, openClipNames), { openClip: openClipJson });
    expect(await expectImported(argmaxDual)).toEqual([]);
  });

  it('ends texts with the token that its configuration names, where it does', async () => {
    const text_cfg = { ...openClipJson.text_cfg, pool_type: 'eos', eos_id: 8 };
    await write(theirsOf(dual, openClipNames), { openClip: { ...openClipJson, text_cfg } });
    expect(await expectImported(dual)).toEqual([]);
  });

  it('may have a linear layer as its text projection, and a scale with an axis', async () => {
    const naming = openClipNaming({ textProjection: 'linear', logitScale: 'vector' });
    const tensors = theirsOf(dual, naming);
    expect(tensors.get('text_projection.weight')?.shape).toEqual([5, 64]);
    expect(tensors.get('logit_scale')?.shape).toEqual([1]);
    await write(tensors, { openClip: openClipJson });
    expect(await expectImported(argmaxDual)).toEqual([]);
  });

  it("needs no configuration in the form of OpenAI's own files, which hold numbers beside the weights", async () => {
    const tensors = theirsOf(dual, openClipNames);
    tensors.set('input_resolution', integer(4));
    tensors.set('context_length', integer(4));
    tensors.set('vocab_size', integer(9));
    await write(tensors);
    const reason = 'the shapes of the weights say it';
    expect(await expectImported(argmaxDual)).toEqual([
      `input_resolution: ${reason}`,
      `context_length: ${reason}`,
      `vocab_size: ${reason}`,
    ]);
  });

  it('needs to be told its activation where nothing else says it', async () => {
    await write(theirsOf(dual, openClipNames));
    await expect(importModel(folder)).rejects.toThrow(
      /whether this CLIP needs quick-GELU .* option `activation`/,
    );
    await expectImported(argmaxDual, { activation: 'quick-gelu' });
  });

  it.each([
    [
      { vision_cfg: { ...openClipJson.vision_cfg, layers: [3, 4, 6, 3] } },
      /at model_cfg\.vision_cfg\.layers: .*ResNets/,
    ],
    [
      { vision_cfg: { ...openClipJson.vision_cfg, timm_model_name: 'a' } },
      /vision_cfg\.timm_model_name: expected null/,
    ],
    [{ vision_cfg: { ...openClipJson.vision_cfg, pool_type: 'avg' } }, /vision_cfg\.pool_type: expected tok/],
    [
      { vision_cfg: { ...openClipJson.vision_cfg, head_width: 48 } },
      /vision_cfg\.width: expected a multiple of head_width/,
    ],
    [
      { text_cfg: { ...openClipJson.text_cfg, no_causal_mask: true } },
      /text_cfg\.no_causal_mask: expected false/,
    ],
    [
      { text_cfg: { ...openClipJson.text_cfg, act_kwargs: { approximate: 'tanh' } } },
      /text_cfg\.act_kwargs: expected null/,
    ],
    [
      { text_cfg: { ...openClipJson.text_cfg, pool_type: 'last' } },
      /text_cfg\.pool_type: expected argmax or eos/,
    ],
  ])('is refused where its configuration says %j', async (fields, message) => {
    await write(theirsOf(dual, openClipNames), { openClip: { ...openClipJson, ...fields } });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
  });
});

it('any other checkpoint is refused with what there might be', async () => {
  await write(new Map([['a', float([1])]]));
  await expect(importModel(folder)).rejects.toThrow(
    /expected a ViT or DeiT .*, or a CLIP .* got tensors like a/,
  );
});
