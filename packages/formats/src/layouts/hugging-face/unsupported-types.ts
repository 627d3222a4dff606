/** Models of `transformers` with tensors like a ViT's, by their `model_type`, and what they have that ours have not. */
export const unsupportedTypes: Readonly<Record<string, string>> = {
  beit: 'relative positions',
  dinov3_vit: 'rotary positions',
  vit_mae: 'masked pictures',
};
