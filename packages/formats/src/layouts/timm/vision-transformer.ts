import {
  type Activation,
  type Distillation,
  type PictureSize,
  type VisionTransformerConfig,
  patchCount,
  sidesOf,
  visionTransformerFamily,
} from '@winnow/core';
import { type Checkpoint, extentOf, gridOf } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { classNamesIn } from '../class-names';
import { classifierOf, leftOutOfClassifier } from '../classifier';
import { layersIn } from '../layers';
import { type Reading, defineLayout } from '../layout';
import { type Naming, namingOf } from '../naming';
import { timmClassNames } from './class-names';
import { type TimmConfiguration, type TimmShapes, readTimmConfig, saidPositions } from './fields';
import { headsOf } from './heads';
import { refuseUnsupported } from './unsupported';

/** The differences between checkpoints of one model. */
interface TimmNames {
  /** The last norm is that of what the head reads. */
  readonly hasMeanNorm: boolean;
  /** As timm writes layer scale, or as older code did. */
  readonly layerScale: 'ls1.gamma' | 'gamma_1';
}

/** Our paths → timm's names. Query, key and value are one there. */
export function timmNamingFor({ hasMeanNorm, layerScale }: TimmNames): Naming {
  return namingOf({
    towers: {
      '': {
        blocks: 'blocks',
        inBlock: {
          attentionNorm: 'norm1',
          'attention.query': 'attn.qkv',
          'attention.key': 'attn.qkv',
          'attention.value': 'attn.qkv',
          'attention.output': 'attn.proj',
          attentionScale: layerScale,
          ffnNorm: 'norm2',
          'ffn.expand': 'mlp.fc1',
          'ffn.contract': 'mlp.fc2',
          ffnScale: layerScale.replace('1', '2'),
        },
      },
    },
    outside: {
      'patchEmbedding.weight': { name: 'patch_embed.proj.weight', arrangement: 'convolution' },
      'patchEmbedding.bias': 'patch_embed.proj.bias',
      classToken: { name: 'cls_token', arrangement: 'batched' },
      distillationToken: { name: 'dist_token', arrangement: 'batched' },
      registers: { name: 'reg_token', arrangement: 'batched' },
      positions: { name: 'pos_embed', arrangement: 'batched' },
      embeddingNorm: 'norm_pre',
      norm: hasMeanNorm ? 'fc_norm' : 'norm',
      'attentionPool.probe': { name: 'attn_pool.latent', arrangement: 'batched' },
      'attentionPool.attention.query': 'attn_pool.q',
      'attentionPool.attention.key': 'attn_pool.kv',
      'attentionPool.attention.value': 'attn_pool.kv',
      'attentionPool.attention.output': 'attn_pool.proj',
      'attentionPool.norm': 'attn_pool.norm',
      'attentionPool.ffn.expand': 'attn_pool.mlp.fc1',
      'attentionPool.ffn.contract': 'attn_pool.mlp.fc2',
      head: 'head',
      distillationHead: 'head_dist',
    },
  });
}

/** Our paths → the names in a plain timm VisionTransformer. */
export const timmNaming = timmNamingFor({ hasMeanNorm: false, layerScale: 'ls1.gamma' });

/** VisionTransformer and VisionTransformerDistilled. */
export const timmVisionTransformer = defineLayout<VisionTransformerConfig>({
  family: visionTransformerFamily,
  source: 'timm',
  models: 'a ViT or DeiT',
  anchors: ['cls_token', 'patch_embed.proj.weight'],
  recognises: (tensors) => tensors.has('cls_token') || tensors.has('patch_embed.proj.weight'),
  resampling: 'bicubic-antialias',
  read: (checkpoint, options) => {
    const { tensors, config: stated } = checkpoint;
    refuseUnsupported(checkpoint);
    const head = classifierOf(checkpoint, 'head.weight', options);
    const { classes, fresh } = head;
    const naming = timmNamingFor({
      hasMeanNorm: tensors.has('fc_norm.weight'),
      layerScale: tensors.has('blocks.0.gamma_1') ? 'gamma_1' : 'ls1.gamma',
    });
    return {
      ...configOf(checkpoint, classes, options.heads),
      naming,
      classNames:
        stated === undefined || fresh !== undefined
          ? undefined
          : classNamesIn(stated, classes, timmClassNames),
      fresh,
      leftOut: leftOutOfClassifier(naming, head),
    };
  },
});

/** The parts of a checkpoint that say what a model of timm is. */
type TimmCheckpoint = Pick<Checkpoint, 'file' | 'tensors' | 'config'>;

/**
 * The configuration of a model of timm without a classifier, a tower of another model.
 * @throws {FormatError} when its shapes make no sense, or it has something that we do not have.
 */
export function timmTower(
  checkpoint: TimmCheckpoint,
  heads: number | undefined,
): Required<Pick<Reading<VisionTransformerConfig>, 'config' | 'notes'>> {
  refuseUnsupported(checkpoint);
  return configOf(checkpoint, 1, heads);
}

const nothingSaid: TimmConfiguration = {
  architecture: undefined,
  heads: undefined,
  activation: undefined,
  pool: undefined,
  layerScale: undefined,
};

/** Where a checkpoint does not say how it was begun, as timm's DINOv2. */
const LAYER_SCALE = 1e-5;

/**
 * The configuration of timm weights. Everything but the number of heads, the activation and the tokens that the head reads
 * can be read from their shapes.
 * @throws {FormatError} when a shape makes no sense, a configuration beside them says something else than they do or
 * something that we do not have, or nothing says how many heads there are.
 */
function configOf(
  checkpoint: TimmCheckpoint,
  classes: number,
  givenHeads: number | undefined,
): Required<Pick<Reading<VisionTransformerConfig>, 'config' | 'notes'>> {
  const { file, tensors, config: stated } = checkpoint;
  const distillation = distillationOf(tensors);
  const sizes = sizesOf(checkpoint);
  const placed = placedOf(checkpoint, sizes, distillation);
  const shapes = { ...sizes, imageSize: placed.imageSize };
  const { patchSize, channels, embedDim, layers, hiddenDim } = shapes;
  const said = stated === undefined ? nothingSaid : readTimmConfig(stated, shapes);
  const { heads, note } = headsOf(file, {
    said: said.heads ?? givenHeads,
    ...(said.architecture === undefined ? {} : { architecture: said.architecture }),
    embedDim,
  });
  const headDim = embedDim / heads;
  const hasPool = tensors.has('attn_pool.latent');
  const usual = hasPool ? 'map' : shapes.hasMeanNorm || !shapes.hasClassToken ? 'avg' : 'token';
  const pool = said.pool ?? usual;
  if (hasPool !== (pool === 'map')) {
    throw new FormatError(
      `${file}: expected ${hasPool ? 'global_pool to be map' : 'the tensors of an attention pool (attn_pool.latent)'}, as ` +
        `${hasPool ? 'there is an attention pool (attn_pool.latent)' : 'global_pool says'}, got ${hasPool ? pool : 'none'}`,
    );
  }
  const readsMean = pool === 'avg';
  if (distillation !== 'none' && (pool !== 'token' || !shapes.hasClassToken))
    throw new FormatError(`${file}: distilled models that read the mean of their patches are not supported`);
  if (pool === 'token' && !shapes.hasClassToken)
    throw new FormatError(`${file}: expected a class token (cls_token), as global_pool says, got none`);
  return {
    config: {
      kind: 'vision-transformer',
      imageSize: shapes.imageSize,
      patchSize,
      channels,
      classes,
      distillation,
      ...(shapes.hasClassToken ? {} : { classToken: false as const }),
      ...(shapes.registers === 0 ? {} : { registers: shapes.registers }),
      ...(placed.patchesOnly ? { positioned: 'patches' as const } : {}),
      embeddingNorm: shapes.hasEmbeddingNorm,
      patchBias: tensors.has('patch_embed.proj.bias'),
      ...(readsMean ? { headInput: 'mean' as const } : {}),
      ...(readsMean && shapes.hasMeanNorm ? { normAfterMean: true as const } : {}),
      tower: {
        embedDim,
        heads,
        denseHeadDim: headDim,
        activation: said.activation ?? activationOf(said.architecture),
        causal: false,
        // As timm's CLIP towers, the models with a norm before their blocks.
        normEpsilon: shapes.hasEmbeddingNorm ? 1e-5 : 1e-6,
        ...(shapes.hasInputBias ? {} : { inputBias: false as const }),
        ...(shapes.hasLayerScale ? { layerScale: said.layerScale ?? LAYER_SCALE } : {}),
        blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim })),
      },
      ...(hasPool
        ? { attentionPool: { headDim, hiddenDim: extentOf(checkpoint, 'attn_pool.mlp.fc1.weight', 0) } }
        : {}),
    },
    notes: note === undefined ? [] : [note],
  };
}

/** SigLIPs of a few sizes are trained with the approximate GELU; their names do not say it (timm 1.0.31). */
const APPROXIMATE =
  /^vit_(?:(?:base_patch32|giantopt_patch16|so400m_patch16)_siglip|large_patch16_siglip(?:_gap)?_512)/;

/** The activation of a published architecture, where a configuration names it alone. */
function activationOf(architecture = ''): Activation {
  if (architecture.includes('quickgelu')) return 'quick-gelu';
  return APPROXIMATE.test(architecture) ? 'gelu-tanh' : 'gelu';
}

type Sizes = Omit<TimmShapes, 'imageSize'>;

function sizesOf(checkpoint: TimmCheckpoint): Sizes {
  const { tensors } = checkpoint;
  const extent = (name: string, axis: number) => extentOf(checkpoint, name, axis);
  const [patchHeight, patchWidth] = [2, 3].map((axis) => extent('patch_embed.proj.weight', axis));
  if (patchHeight !== patchWidth) {
    throw new FormatError(
      `${checkpoint.file}: expected patches as high as wide, as only square patches are supported, got ${patchHeight} × ${patchWidth}`,
    );
  }
  const has = (ending: string) => [...tensors.keys()].some((name) => name.endsWith(ending));
  return {
    patchSize: extent('patch_embed.proj.weight', 2),
    channels: extent('patch_embed.proj.weight', 1),
    embedDim: extent('pos_embed', 2),
    layers: layersIn(checkpoint, 'blocks.'),
    hiddenDim: extent('blocks.0.mlp.fc1.weight', 0),
    hasClassToken: tensors.has('cls_token'),
    registers: tensors.has('reg_token') ? extent('reg_token', 1) : 0,
    hasLayerScale: has('.ls1.gamma') || has('.gamma_1'),
    hasInputBias: has('.attn.qkv.bias'),
    hasEmbeddingNorm: tensors.has('norm_pre.weight'),
    hasMeanNorm: tensors.has('fc_norm.weight'),
  };
}

/**
 * The pictures whose patches the positions are for, and whether the other tokens have none (`no_embed_class`): where nothing
 * says so, the number of positions does. Pictures are squares where nothing else is said.
 * @throws {FormatError} when it is the number of no square, nor of what is said.
 */
function placedOf(
  checkpoint: TimmCheckpoint,
  { hasClassToken, registers, patchSize }: Sizes,
  distillation: Distillation,
): { readonly imageSize: PictureSize; readonly patchesOnly: boolean } {
  const { file, config: stated } = checkpoint;
  const leading = (hasClassToken ? 1 : 0) + (distillation === 'none' ? 0 : 1) + registers;
  const positions = extentOf(checkpoint, 'pos_embed', 1);
  const said = stated === undefined ? undefined : saidPositions(stated);
  const size = wholePatches(said?.imageSize, patchSize);
  const fits = (count: number) =>
    size === undefined ? isSquare(count) : count === patchCount({ imageSize: size, patchSize });
  const patchesOnly = leading > 0 && (said?.patchesOnly ?? (!fits(positions - leading) && fits(positions)));
  const patches = positions - (patchesOnly ? 0 : leading);
  // A square that is said is checked with all else that the configuration says.
  const isSaid = size !== undefined && typeof size !== 'number' && fits(patches);
  return {
    imageSize: isSaid ? size : gridOf(file, 'pos_embed', patches) * patchSize,
    patchesOnly,
  };
}

const isSquare = (count: number): boolean => count >= 1 && Number.isInteger(Math.sqrt(count));

/** A size that is a whole number of patches. */
const wholePatches = (size: PictureSize | undefined, patchSize: number): PictureSize | undefined =>
  size !== undefined && Object.values(sidesOf(size)).every((side) => side % patchSize === 0)
    ? size
    : undefined;

function distillationOf(tensors: Checkpoint['tensors']): Distillation {
  if (tensors.has('head_dist.weight')) return 'head';
  return tensors.has('dist_token') ? 'token' : 'none';
}
