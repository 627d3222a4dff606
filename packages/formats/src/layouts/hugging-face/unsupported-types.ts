/** Models of `transformers` with tensors like a ViT's, by their `model_type`, and what they have that ours have not. */
export const unsupportedTypes: Readonly<Record<string, string>> = {
  beit: 'relative positions',
  dinov3_vit: 'rotary positions',
  siglip2: 'pictures of any shape (NaFlex)',
  siglip2_vision_model: 'pictures of any shape (NaFlex)',
  vit_mae: 'masked pictures',
};
