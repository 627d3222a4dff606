import type { Distillation, VisionTransformerConfig } from '@winnow/core';
import { type Checkpoint, extentOf, gridOf } from '../checkpoint/checkpoint';
import { layersIn } from '../checkpoint/layers';
import { type TimmConfiguration, type TimmShapes, readTimmConfig } from './configuration';
import { headsOf } from './heads';

const nothingSaid: TimmConfiguration = { architecture: undefined, heads: undefined, activation: undefined };

/** A configuration, and what a user should know of how it was found. */
export interface TimmReading {
  readonly config: VisionTransformerConfig;
  readonly notes: readonly string[];
}

/**
 * The configuration of timm weights. Everything but the number of heads and the activation can be read from their shapes.
 * @throws {FormatError} when a shape makes no sense, a configuration beside them says something else than they do or
 * something that we do not have, or nothing says how many heads there are.
 */
export function timmVisionTransformerConfig(
  checkpoint: Checkpoint,
  classes: number,
  givenHeads?: number,
): TimmReading {
  const { file, tensors, config: stated } = checkpoint;
  const distillation = distillationOf(tensors);
  const shapes = shapesOf(checkpoint, distillation);
  const { imageSize, patchSize, channels, embedDim, layers, hiddenDim } = shapes;
  const said = stated === undefined ? nothingSaid : readTimmConfig(stated, shapes);
  const { heads, note } = headsOf(file, {
    said: said.heads ?? givenHeads,
    ...(said.architecture === undefined ? {} : { architecture: said.architecture }),
    embedDim,
  });
  const headDim = embedDim / heads;
  return {
    config: {
      kind: 'vision-transformer',
      imageSize,
      patchSize,
      channels,
      classes,
      distillation,
      embeddingNorm: false,
      patchBias: true,
      tower: {
        embedDim,
        heads,
        denseHeadDim: headDim,
        activation: said.activation ?? 'gelu',
        causal: false,
        normEpsilon: 1e-6,
        blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim })),
      },
    },
    notes: note === undefined ? [] : [note],
  };
}

function shapesOf(checkpoint: Checkpoint, distillation: Distillation): TimmShapes {
  const { file } = checkpoint;
  const extent = (name: string, axis: number) => extentOf(checkpoint, name, axis);
  const patchSize = extent('patch_embed.proj.weight', 2);
  const patches = extent('pos_embed', 1) - (distillation === 'none' ? 1 : 2);
  return {
    imageSize: gridOf(file, 'pos_embed', patches) * patchSize,
    patchSize,
    channels: extent('patch_embed.proj.weight', 1),
    embedDim: extent('cls_token', 2),
    layers: layersIn(checkpoint, 'blocks.'),
    hiddenDim: extent('blocks.0.mlp.fc1.weight', 0),
  };
}

function distillationOf(tensors: Checkpoint['tensors']): Distillation {
  if (tensors.has('head_dist.weight')) return 'head';
  return tensors.has('dist_token') ? 'token' : 'none';
}
