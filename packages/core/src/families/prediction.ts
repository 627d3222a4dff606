import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';

/** A model's answer to a batch: tensors by name. Its family says which ones; a task reads those that it needs. */
export type Prediction = Readonly<Record<string, Tensor>>;

/** The answer of a model that tells things apart: logits [B, K], and by name the embeddings that they were made of. */
export interface Logits {
  readonly logits: Tensor2D;
  readonly [embedding: string]: Tensor;
}
