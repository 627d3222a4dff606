import type { Distillation, HostTensors, VisionTransformerConfig } from '@winnow/core';
import { z } from 'zod';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/read-file';

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

export interface TimmSource {
  /** The weights file. */
  readonly file: string;
  readonly tensors: HostTensors;
  /** What stands beside it, if anything. */
  readonly config?: { readonly file: string; readonly json: unknown };
  readonly heads?: number;
}

/**
 * The configuration of timm weights. Everything but the number of heads can be read from their shapes.
 * @throws {FormatError} when a shape makes no sense or nothing says how many heads there are.
 */
export function timmVisionTransformerConfig(source: TimmSource, classes: number): VisionTransformerConfig {
  const { file, tensors } = source;
  const extent = (name: string, axis: number): number => {
    const shape = tensors.get(name)?.shape;
    const found = shape?.[axis];
    if (found !== undefined && found > 0) return found;
    const got = shape === undefined ? 'none' : `[${shape.join(', ')}]`;
    throw new FormatError(`${file}: expected a tensor ${name} with an axis ${axis}, got ${got}`);
  };
  const embedDim = extent('cls_token', 2);
  const patchSize = extent('patch_embed.proj.weight', 2);
  const distillation = distillationOf(tensors);
  const patches = extent('pos_embed', 1) - (distillation === 'none' ? 1 : 2);
  const grid = Math.sqrt(patches);
  if (!Number.isInteger(grid) || grid < 1) {
    throw new FormatError(
      `${file}: pos_embed: expected positions for a square picture, got ${patches} patches`,
    );
  }
  const heads = headsOf(source);
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
      blocks: Array.from({ length: layersIn(tensors) }, () => ({ headDim, hiddenDim })),
    },
  };
}

function distillationOf(tensors: HostTensors): Distillation {
  if (tensors.has('head_dist.weight')) return 'head';
  return tensors.has('dist_token') ? 'token' : 'none';
}

/** One more than the highest number of a block: a block that is missing in between is then reported by name. */
function layersIn(tensors: HostTensors): number {
  const numbers = [...tensors.keys()].map((name) => Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? -1));
  return numbers.reduce((most, number) => Math.max(most, number + 1), 0);
}

function headsOf({ file, config, heads }: TimmSource): number {
  const known: TimmConfig = config === undefined ? {} : checkJson(config.file, config.json, timmConfig);
  const size = /^(?:vit|deit|deit3)_(tiny|small|base|large)_/.exec(known.architecture ?? '')?.[1];
  const found = heads ?? known.num_heads ?? known.model_args?.num_heads ?? headsOfSize[size ?? ''];
  if (found !== undefined) return found;
  throw new FormatError(
    `${file}: expected to learn the number of attention heads from config.json (num_heads or a known architecture), ` +
      'got nothing; give it as the option `heads`',
  );
}
