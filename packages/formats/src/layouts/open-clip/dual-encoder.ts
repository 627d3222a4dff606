import { type Activation, type DualEncoderConfig, type TowerConfig, dualEncoderFamily } from '@winnow/core';
import { type Checkpoint, type JsonFile, extentOf, gridOf } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { checkJson } from '../../file/json';
import { clipNormalisation } from '../../preprocessor/normalisation';
import { checkLayers, layersIn } from '../layers';
import { type ImportOptions, defineLayout } from '../layout';
import { type NameTable, type Named, type Naming, namingOf } from '../naming';
import { HEAD_WIDTH, type ModelConfig, NORM_EPSILON, modelConfig, openClipConfig } from './fields';

/** Query, key and value are one. */
export const resblock: NameTable = {
  attentionNorm: 'ln_1',
  'attention.query.weight': 'attn.in_proj_weight',
  'attention.key.weight': 'attn.in_proj_weight',
  'attention.value.weight': 'attn.in_proj_weight',
  'attention.query.bias': 'attn.in_proj_bias',
  'attention.key.bias': 'attn.in_proj_bias',
  'attention.value.bias': 'attn.in_proj_bias',
  'attention.output': 'attn.out_proj',
  ffnNorm: 'ln_2',
  'ffn.expand': 'mlp.c_fc',
  'ffn.contract': 'mlp.c_proj',
};

/** The differences between checkpoints of one model. */
export interface OpenClipNames {
  /** A plain parameter [D, P], or the weight of a linear layer [P, D]. */
  readonly textProjection: 'parameter' | 'linear';
  /** [] or [1]. */
  readonly logitScale: 'scalar' | 'vector';
}

const textProjections: Readonly<Record<OpenClipNames['textProjection'], Named>> = {
  parameter: { name: 'text_projection', arrangement: 'same' },
  linear: { name: 'text_projection.weight', arrangement: 'transposed' },
};

export const logitScales: Readonly<Record<OpenClipNames['logitScale'], Named>> = {
  scalar: { name: 'logit_scale', arrangement: 'unbatched' },
  vector: { name: 'logit_scale', arrangement: 'same' },
};

/** Our paths → the names in a CLIP of open_clip, and of OpenAI's own code. */
export function openClipNaming({ textProjection, logitScale }: OpenClipNames): Naming {
  return namingOf({
    towers: {
      'vision.': { blocks: 'visual.transformer.resblocks', inBlock: resblock },
      'text.': { blocks: 'transformer.resblocks', inBlock: resblock },
    },
    outside: {
      'vision.patchEmbedding.weight': { name: 'visual.conv1.weight', arrangement: 'convolution' },
      'vision.classToken': { name: 'visual.class_embedding', arrangement: 'unbatched' },
      'vision.positions': { name: 'visual.positional_embedding', arrangement: 'same' },
      'vision.embeddingNorm': 'visual.ln_pre',
      'vision.norm': 'visual.ln_post',
      visionProjection: { name: 'visual.proj', arrangement: 'same' },
      'text.tokenEmbedding': { name: 'token_embedding.weight', arrangement: 'same' },
      'text.positions': { name: 'positional_embedding', arrangement: 'same' },
      'text.norm': 'ln_final',
      textProjection: textProjections[textProjection],
      logitScale: logitScales[logitScale],
    },
  });
}

/** Names of the numbers that OpenAI's own files hold beside the weights. */
const OPENAI_NUMBERS = ['input_resolution', 'context_length', 'vocab_size'];

/** A CLIP of open_clip, or of OpenAI's own code, whose files come without a configuration. */
export const openClipDualEncoder = defineLayout<DualEncoderConfig>({
  family: dualEncoderFamily,
  source: 'open_clip',
  alsoOf: ['OpenAI'],
  models: 'a CLIP',
  anchors: ['class_embedding', 'token_embedding.weight'],
  normalisation: clipNormalisation,
  recognises: (tensors) => tensors.has('visual.class_embedding') && tensors.has('token_embedding.weight'),
  read: (checkpoint, options) => {
    const { tensors, openClipConfig: stated } = checkpoint;
    return {
      config:
        stated === undefined
          ? configOfShapes(checkpoint, activationOf(checkpoint, options))
          : readOpenClipConfig(checkpoint, stated),
      naming: openClipNaming({
        textProjection: tensors.has('text_projection.weight') ? 'linear' : 'parameter',
        logitScale: tensors.get('logit_scale')?.shape.length === 1 ? 'vector' : 'scalar',
      }),
      leftOut: (name) => {
        if (OPENAI_NUMBERS.includes(name)) return 'the shapes of the weights say it';
        if (name === 'attn_mask') return 'the causal mask is not stored';
        return undefined;
      },
    };
  },
});

/** @throws {FormatError} when nothing says which activation the model needs. */
function activationOf({ file, tensors }: Checkpoint, { activation }: ImportOptions): Activation {
  if (activation !== undefined) return activation;
  if (OPENAI_NUMBERS.every((name) => tensors.has(name))) return 'quick-gelu';
  throw new FormatError(
    `${file}: expected to learn from open_clip_config.json whether this CLIP needs quick-GELU (OpenAI's weights do) or ` +
      'GELU, got no such file; put it beside the weights, or say it with --activation of winnow import or winnow train (the option `activation`)',
  );
}

/** Before the number of a layer. */
const layerPrefixes = { vision: 'visual.transformer.resblocks.', text: 'transformer.resblocks.' } as const;

/**
 * `open_clip_config.json` → our configuration.
 * @throws {FormatError} with the path inside the JSON, or when it speaks of other layers than there are.
 */
export function readOpenClipConfig(
  checkpoint: Pick<Checkpoint, 'file' | 'tensors'>,
  { file, json }: JsonFile,
): DualEncoderConfig {
  const what = 'the configuration of a CLIP of open_clip';
  const { model_cfg: config } = checkJson(file, json, openClipConfig, what);
  for (const tower of ['vision', 'text'] as const) {
    const { layers } = tower === 'vision' ? config.vision_cfg : config.text_cfg;
    const source = `model_cfg.${tower}_cfg.layers in ${file}`;
    checkLayers(checkpoint, { prefix: layerPrefixes[tower], stated: layers, source });
  }
  return dualEncoderOf(config);
}

/**
 * The configuration of weights by themselves: everything but the activation can be read from their shapes, as all
 * published ones have heads of 64.
 * @throws {FormatError} when a shape makes no sense.
 */
function configOfShapes(checkpoint: Checkpoint, activation: Activation): DualEncoderConfig {
  const { file } = checkpoint;
  const extent = (name: string, axis: number) => extentOf(checkpoint, name, axis);
  const patchSize = extent('visual.conv1.weight', 2);
  const grid = gridOf(file, 'visual.positional_embedding', extent('visual.positional_embedding', 0) - 1);
  const visionWidth = extent('visual.conv1.weight', 0);
  const textWidth = extent('token_embedding.weight', 1);
  // Half a unit more: the product with the width is cut to a whole number, and may be rounded down before.
  const ratio = (prefix: string, width: number) => (extent(`${prefix}0.mlp.c_fc.weight`, 0) + 0.5) / width;
  const cfg = {
    embed_dim: extent('visual.proj', 1),
    quick_gelu: activation === 'quick-gelu',
    vision_cfg: {
      image_size: grid * patchSize,
      patch_size: patchSize,
      width: visionWidth,
      layers: layersIn(checkpoint, layerPrefixes.vision),
      mlp_ratio: ratio(layerPrefixes.vision, visionWidth),
    },
    text_cfg: {
      context_length: extent('positional_embedding', 0),
      vocab_size: extent('token_embedding.weight', 0),
      width: textWidth,
      heads: headsOf(file, textWidth),
      layers: layersIn(checkpoint, layerPrefixes.text),
      mlp_ratio: ratio(layerPrefixes.text, textWidth),
    },
  };
  return dualEncoderOf(checkJson(`${file}: as its shapes say`, cfg, modelConfig));
}

function headsOf(file: string, width: number): number {
  const heads = width / HEAD_WIDTH;
  if (Number.isInteger(heads)) return heads;
  throw new FormatError(
    `${file}: expected a text tower whose width is a multiple of ${HEAD_WIDTH}, the width of a head in published models, ` +
      `got ${width}; put its open_clip_config.json beside it`,
  );
}

function dualEncoderOf({ embed_dim, quick_gelu, vision_cfg, text_cfg }: ModelConfig): DualEncoderConfig {
  const activation: Activation = quick_gelu ? 'quick-gelu' : 'gelu';
  return {
    kind: 'dual-encoder',
    projectionDim: embed_dim,
    vision: {
      imageSize: vision_cfg.image_size,
      patchSize: vision_cfg.patch_size,
      channels: 3,
      distillation: 'none',
      embeddingNorm: true,
      patchBias: false,
      tower: towerOf(vision_cfg, {
        heads: vision_cfg.width / vision_cfg.head_width,
        activation,
        causal: false,
      }),
    },
    text: {
      vocabulary: text_cfg.vocab_size,
      context: text_cfg.context_length,
      endToken: text_cfg.pool_type === 'eos' ? text_cfg.eos_id : 'greatest',
      tower: towerOf(text_cfg, { heads: text_cfg.heads, activation, causal: true }),
    },
  };
}

export function towerOf(
  {
    width,
    layers,
    mlp_ratio,
    norm_kwargs,
  }: Pick<ModelConfig['text_cfg'], 'width' | 'layers' | 'mlp_ratio' | 'norm_kwargs'>,
  how: Pick<TowerConfig, 'heads' | 'activation' | 'causal'>,
): TowerConfig {
  const headDim = width / how.heads;
  return {
    ...how,
    embedDim: width,
    denseHeadDim: headDim,
    normEpsilon: norm_kwargs?.eps ?? NORM_EPSILON,
    blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim: Math.trunc(width * mlp_ratio) })),
  };
}
