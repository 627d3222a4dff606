import { type NameTable, type Named, type Naming, namingOf } from '../checkpoint/naming';

/** Query, key and value are one. */
const resblock: NameTable = {
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
  parameter: { name: 'text_projection', layout: 'same' },
  linear: { name: 'text_projection.weight', layout: 'transposed' },
};

const logitScales: Readonly<Record<OpenClipNames['logitScale'], Named>> = {
  scalar: { name: 'logit_scale', layout: 'unbatched' },
  vector: { name: 'logit_scale', layout: 'same' },
};

/** Our paths → the names in a CLIP of open_clip, and of OpenAI's own code. */
export function openClipNaming({ textProjection, logitScale }: OpenClipNames): Naming {
  return namingOf({
    towers: {
      'vision.': { blocks: 'visual.transformer.resblocks', inBlock: resblock },
      'text.': { blocks: 'transformer.resblocks', inBlock: resblock },
    },
    outside: {
      'vision.patchEmbedding.weight': { name: 'visual.conv1.weight', layout: 'convolution' },
      'vision.classToken': { name: 'visual.class_embedding', layout: 'unbatched' },
      'vision.positions': { name: 'visual.positional_embedding', layout: 'same' },
      'vision.embeddingNorm': 'visual.ln_pre',
      'vision.norm': 'visual.ln_post',
      visionProjection: { name: 'visual.proj', layout: 'same' },
      'text.tokenEmbedding': { name: 'token_embedding.weight', layout: 'same' },
      'text.positions': { name: 'positional_embedding', layout: 'same' },
      'text.norm': 'ln_final',
      textProjection: textProjections[textProjection],
      logitScale: logitScales[logitScale],
    },
  });
}
