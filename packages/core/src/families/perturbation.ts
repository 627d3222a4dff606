import type { Tensor3D } from '@tensorflow/tfjs-core';

/** Where an input is embedded: the patches of pictures [B, N, D], or the regions that stand for them, the words of texts [B, T, D]; before positions. */
export const embeddingPlaces = ['patches', 'words'] as const;
export type EmbeddingPlace = (typeof embeddingPlaces)[number];

/** Changes embedded inputs before the forward pass goes on with them: gives a tensor of the same shape. */
export type Perturb = (place: EmbeddingPlace, embedding: Tensor3D) => Tensor3D;
