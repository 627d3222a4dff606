import { type NameTable, type TowerNames, namingOf } from '../checkpoint/naming';

const layer: NameTable = {
  attentionNorm: 'layer_norm1',
  'attention.query': 'self_attn.q_proj',
  'attention.key': 'self_attn.k_proj',
  'attention.value': 'self_attn.v_proj',
  'attention.output': 'self_attn.out_proj',
  ffnNorm: 'layer_norm2',
  'ffn.expand': 'mlp.fc1',
  'ffn.contract': 'mlp.fc2',
};

const textBlocks: TowerNames = { blocks: 'text_model.encoder.layers', inBlock: layer };

const text = {
  tokenEmbedding: { name: 'text_model.embeddings.token_embedding.weight', layout: 'same' },
  positions: { name: 'text_model.embeddings.position_embedding.weight', layout: 'same' },
  norm: 'text_model.final_layer_norm',
} as const satisfies NameTable;

/** Our paths → the names in a CLIPTextModelWithProjection. */
export const clipTextNaming = namingOf({
  towers: { '': textBlocks },
  outside: { ...text, projection: 'text_projection.weight' },
});

/** Our paths → the names in a CLIPModel. (`pre_layrnorm` is how it is spelled there.) */
export const clipNaming = namingOf({
  towers: {
    'text.': textBlocks,
    'vision.': { blocks: 'vision_model.encoder.layers', inBlock: layer },
  },
  outside: {
    'text.tokenEmbedding': text.tokenEmbedding,
    'text.positions': text.positions,
    'text.norm': text.norm,
    'vision.patchEmbedding.weight': {
      name: 'vision_model.embeddings.patch_embedding.weight',
      layout: 'convolution',
    },
    'vision.classToken': { name: 'vision_model.embeddings.class_embedding', layout: 'unbatched' },
    'vision.positions': { name: 'vision_model.embeddings.position_embedding.weight', layout: 'same' },
    'vision.embeddingNorm': 'vision_model.pre_layrnorm',
    'vision.norm': 'vision_model.post_layernorm',
    visionProjection: 'visual_projection.weight',
    textProjection: 'text_projection.weight',
    logitScale: { name: 'logit_scale', layout: 'unbatched' },
  },
});
