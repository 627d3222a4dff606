import {
  type DualEncoderConfig,
  type TextTowerConfig,
  dualEncoderFamily,
  isSameSize,
  sizeText,
} from '@winnow/core';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { checkJson } from '../../file/json';
import { SIGLIP, siglipNormalisation } from '../hugging-face/siglip';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { type Naming, namingOf } from '../naming';
import { timmNaming, timmTower } from '../timm/vision-transformer';
import { logitScales, resblock, towerOf } from './dual-encoder';
import { type SiglipConfig, openClipSiglipConfig } from './siglip-fields';

/** Before the names of timm, in the vision tower. */
const TRUNK = 'visual.trunk.';

/** Our paths → the names in a SigLIP of open_clip: timm's vision tower, and open_clip's text tower under a name of its own. */
export function openClipSiglipNaming(logits: keyof typeof logitScales): Naming {
  const beside = namingOf({
    towers: { 'text.': { blocks: 'text.transformer.resblocks', inBlock: resblock } },
    outside: {
      'text.tokenEmbedding': { name: 'text.token_embedding.weight', arrangement: 'same' },
      'text.positions': { name: 'text.positional_embedding', arrangement: 'same' },
      'text.norm': 'text.ln_final',
      textProjection: 'text.text_projection.weight',
      textProjectionBias: 'text.text_projection.bias',
      logitScale: logitScales[logits],
      logitBias: { ...logitScales[logits], name: 'logit_bias' },
    },
  });
  return (path) => {
    if (!path.startsWith('vision.')) return beside(path);
    const { name, ...rest } = timmNaming(path.slice('vision.'.length));
    return { name: TRUNK + name, ...rest };
  };
}

/** A SigLIP of open_clip, first or second, whose vision tower is timm's. */
export const openClipSiglip = defineLayout<DualEncoderConfig>({
  family: dualEncoderFamily,
  source: 'open_clip',
  models: SIGLIP,
  anchors: ['logit_bias', 'token_embedding.weight'],
  normalisation: siglipNormalisation,
  resampling: 'bicubic-antialias',
  recognises: (tensors) =>
    tensors.has(`${TRUNK}attn_pool.latent`) && tensors.has('text.token_embedding.weight'),
  read: (checkpoint, { heads }) => {
    const { tensors } = checkpoint;
    const { config, file } = statedBy(checkpoint);
    const { layers } = config.text_cfg;
    const source = `model_cfg.text_cfg.layers in ${file}`;
    checkLayers(checkpoint, { prefix: 'text.transformer.resblocks.', stated: layers, source });
    const { vision, notes } = visionOf(checkpoint, config, heads);
    return {
      config: {
        kind: 'dual-encoder',
        projectionDim: config.embed_dim,
        projections: 'text-alone',
        loss: 'sigmoid',
        vision,
        text: textOf(config),
      },
      naming: openClipSiglipNaming(tensors.get('logit_scale')?.shape.length === 1 ? 'vector' : 'scalar'),
      notes,
      leftOut: () => undefined,
    };
  },
});

/** @throws {FormatError} when there is no configuration, or it says something that we do not have. */
function statedBy({ file, openClipConfig: stated }: Checkpoint): { config: SiglipConfig; file: string } {
  if (stated === undefined)
    throw new FormatError(
      `${file}: expected open_clip_config.json beside this SigLIP, which says how many heads its towers have, got no such file`,
    );
  const what = `the configuration of ${SIGLIP} of open_clip`;
  const { model_cfg: config } = checkJson(stated.file, stated.json, openClipSiglipConfig, what);
  return { config, file: stated.file };
}

/** @throws {FormatError} when timm has another model of this name, or the tower is not one of such a SigLIP. */
function visionOf(
  checkpoint: Checkpoint,
  { embed_dim, vision_cfg: { timm_model_name: architecture, image_size } }: SiglipConfig,
  heads: number | undefined,
): { vision: DualEncoderConfig['vision']; notes: readonly string[] } {
  const { file } = checkpoint;
  const trunk = new Map(
    [...checkpoint.tensors].flatMap(([name, tensor]) =>
      name.startsWith(TRUNK) ? [[name.slice(TRUNK.length), tensor] as const] : [],
    ),
  );
  const { config, notes } = timmTower(
    { file, tensors: trunk, config: { file, json: { architecture, global_pool: 'map' } } },
    heads,
  );
  const { kind: _, classes: _classes, ties: _ties, ...vision } = config;
  if (!isSameSize(vision.imageSize, image_size))
    throw new FormatError(
      `${file}: expected pictures of ${sizeText(vision.imageSize)} px, as the positions have it, got model_cfg.vision_cfg.image_size ${image_size}; ` +
        'sizes that are not a multiple of the patches are not supported',
    );
  if (vision.tower.embedDim !== embed_dim)
    throw new FormatError(
      `${file}: expected model_cfg.embed_dim to be the width of the vision tower, ${vision.tower.embedDim}, got ${embed_dim}`,
    );
  return { vision, notes };
}

const textOf = ({ text_cfg }: SiglipConfig): TextTowerConfig => ({
  vocabulary: text_cfg.vocab_size,
  context: text_cfg.context_length,
  endToken: 'last',
  tower: towerOf(text_cfg, {
    heads: text_cfg.heads,
    activation: text_cfg.act_kwargs?.approximate === 'tanh' ? 'gelu-tanh' : 'gelu',
    causal: false,
  }),
});
