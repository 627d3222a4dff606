import { namingOf } from '../checkpoint/naming';

/** Our paths → the names in a timm VisionTransformer. Query, key and value are one there. */
export const timmNaming = namingOf({
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
  outside: {
    patchEmbedding: 'patch_embed.proj',
    classToken: 'cls_token',
    distillationToken: 'dist_token',
    positions: 'pos_embed',
    norm: 'norm',
    head: 'head',
    distillationHead: 'head_dist',
  },
});
