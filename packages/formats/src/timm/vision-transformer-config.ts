import type { Distillation, VisionTransformerConfig } from '@winnow/core';
import { z } from 'zod';
import { type Checkpoint, extentOf, gridOf, layersIn } from '../checkpoint/checkpoint';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';

const count = z.int().positive();

/** What a `config.json` beside timm weights may say that the weights themselves do not. */
const timmConfig = z.object({
  architecture: z.string().exactOptional(),
  num_heads: count.exactOptional(),
  model_args: z.object({ num_heads: count.exactOptional() }).exactOptional(),
  global_pool: z
    .literal(['token', ''], 'expected token: models that pool otherwise are not supported')
    .exactOptional(),
});

type TimmConfig = z.infer<typeof timmConfig>;

/** Heads of the published sizes. */
const headsOfSize: Readonly<Record<string, number>> = { tiny: 3, small: 6, base: 12, large: 16 };

/**
 * The configuration of timm weights. Everything but the number of heads can be read from their shapes.
 * @throws {FormatError} when a shape makes no sense or nothing says how many heads there are.
 */
export function timmVisionTransformerConfig(
  checkpoint: Checkpoint,
  classes: number,
  givenHeads?: number,
): VisionTransformerConfig {
  const { file, tensors } = checkpoint;
  const extent = (name: string, axis: number) => extentOf(checkpoint, name, axis);
  const embedDim = extent('cls_token', 2);
  const patchSize = extent('patch_embed.proj.weight', 2);
  const distillation = distillationOf(tensors);
  const patches = extent('pos_embed', 1) - (distillation === 'none' ? 1 : 2);
  const grid = gridOf(file, 'pos_embed', patches);
  const heads = givenHeads ?? headsOf(checkpoint);
  const headDim = embedDim / heads;
  if (!Number.isInteger(headDim)) {
    throw new FormatError(`${file}: expected a width that is a multiple of ${heads} heads, got ${embedDim}`);
  }
  const hiddenDim = extent('blocks.0.mlp.fc1.weight', 0);
  return {
    kind: 'vision-transformer',
    imageSize: grid * patchSize,
    patchSize,
    channels: extent('patch_embed.proj.weight', 1),
    classes,
    distillation,
    embeddingNorm: false,
    patchBias: true,
    tower: {
      embedDim,
      heads,
      denseHeadDim: headDim,
      activation: 'gelu',
      causal: false,
      normEpsilon: 1e-6,
      blocks: Array.from({ length: layersIn(checkpoint, 'blocks.') }, () => ({ headDim, hiddenDim })),
    },
  };
}

function distillationOf(tensors: Checkpoint['tensors']): Distillation {
  if (tensors.has('head_dist.weight')) return 'head';
  return tensors.has('dist_token') ? 'token' : 'none';
}

function headsOf({ file, config }: Checkpoint): number {
  const known: TimmConfig = config === undefined ? {} : checkJson(config.file, config.json, timmConfig);
  const size = /^(?:vit|deit|deit3)_(tiny|small|base|large)_/.exec(known.architecture ?? '')?.[1];
  const found = known.num_heads ?? known.model_args?.num_heads ?? headsOfSize[size ?? ''];
  if (found !== undefined) return found;
  throw new FormatError(
    `${file}: expected to learn the number of attention heads from config.json (num_heads or a known architecture), ` +
      'got nothing; give it as the option `heads`',
  );
}
