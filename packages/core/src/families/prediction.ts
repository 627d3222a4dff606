import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';

/** A model's answer to a batch: logits [B, K], and by name the embeddings [B, D] that they were made of. */
export interface Prediction {
  readonly logits: Tensor2D;
  readonly [embedding: string]: Tensor;
}
