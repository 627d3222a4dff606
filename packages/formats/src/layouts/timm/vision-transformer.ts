import { type Distillation, type VisionTransformerConfig, visionTransformerFamily } from '@winnow/core';
import { type Checkpoint, extentOf, gridOf } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { classNamesIn } from '../class-names';
import { classifierOf, leftOutOfClassifier } from '../classifier';
import { layersIn } from '../layers';
import { type Reading, defineLayout } from '../layout';
import { namingOf } from '../naming';
import { timmClassNames } from './class-names';
import { type TimmConfiguration, type TimmShapes, readTimmConfig } from './fields';
import { headsOf } from './heads';
import { refuseUnsupported } from './unsupported';

/** Our paths → the names in a timm VisionTransformer. Query, key and value are one there. */
export const timmNaming = namingOf({
  towers: {
    '': {
      blocks: 'blocks',
      inBlock: {
        attentionNorm: 'norm1',
        'attention.query': 'attn.qkv',
        'attention.key': 'attn.qkv',
        'attention.value': 'attn.qkv',
        'attention.output': 'attn.proj',
        ffnNorm: 'norm2',
        'ffn.expand': 'mlp.fc1',
        'ffn.contract': 'mlp.fc2',
      },
    },
  },
  outside: {
    'patchEmbedding.weight': { name: 'patch_embed.proj.weight', arrangement: 'convolution' },
    'patchEmbedding.bias': 'patch_embed.proj.bias',
    classToken: { name: 'cls_token', arrangement: 'batched' },
    distillationToken: { name: 'dist_token', arrangement: 'batched' },
    positions: { name: 'pos_embed', arrangement: 'batched' },
    norm: 'norm',
    head: 'head',
    distillationHead: 'head_dist',
  },
});

/** VisionTransformer and VisionTransformerDistilled. */
export const timmVisionTransformer = defineLayout<VisionTransformerConfig>({
  family: visionTransformerFamily,
  source: 'timm',
  models: 'a ViT or DeiT',
  anchors: ['cls_token'],
  recognises: (tensors) => tensors.has('cls_token') || tensors.has('patch_embed.proj.weight'),
  read: (checkpoint, options) => {
    const { file, tensors, config: stated } = checkpoint;
    if (!tensors.has('cls_token')) {
      throw new FormatError(`${file}: models without a class token (cls_token) are not supported`);
    }
    refuseUnsupported(file, tensors.keys());
    const head = classifierOf(checkpoint, 'head.weight', options);
    const { classes, fresh } = head;
    return {
      ...configOf(checkpoint, classes, options.heads),
      naming: timmNaming,
      classNames:
        stated === undefined || fresh !== undefined
          ? undefined
          : classNamesIn(stated, classes, timmClassNames),
      fresh,
      leftOut: leftOutOfClassifier(timmNaming, head),
    };
  },
});

const nothingSaid: TimmConfiguration = { architecture: undefined, heads: undefined, activation: undefined };

/**
 * The configuration of timm weights. Everything but the number of heads and the activation can be read from their shapes.
 * @throws {FormatError} when a shape makes no sense, a configuration beside them says something else than they do or
 * something that we do not have, or nothing says how many heads there are.
 */
function configOf(
  checkpoint: Checkpoint,
  classes: number,
  givenHeads: number | undefined,
): Required<Pick<Reading<VisionTransformerConfig>, 'config' | 'notes'>> {
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
