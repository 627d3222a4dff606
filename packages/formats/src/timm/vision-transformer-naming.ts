import { namingOf } from '../checkpoint/naming';

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
    'patchEmbedding.weight': { name: 'patch_embed.proj.weight', layout: 'convolution' },
    'patchEmbedding.bias': 'patch_embed.proj.bias',
    classToken: { name: 'cls_token', layout: 'batched' },
    distillationToken: { name: 'dist_token', layout: 'batched' },
    positions: { name: 'pos_embed', layout: 'batched' },
    norm: 'norm',
    head: 'head',
    distillationHead: 'head_dist',
  },
});
