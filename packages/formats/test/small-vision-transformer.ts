import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import {
  type ImageInputs,
  type Logits,
  type Model,
  type VisionTransformerParams,
  randomStream,
  visionTransformer,
  visionTransformerFamily,
} from '@winnow/core';
import type { LoadedModel } from '../src/index';

/** A vision transformer of three small blocks with both of DeiT's heads. */
export const smallVisionTransformer = visionTransformer({
  kind: 'vision-transformer',
  imageSize: 8,
  patchSize: 4,
  channels: 3,
  classes: 3,
  distillation: 'head',
  embeddingNorm: false,
  patchBias: true,
  tower: {
    embedDim: 12,
    heads: 3,
    denseHeadDim: 4,
    activation: 'gelu',
    causal: false,
    normEpsilon: 1e-6,
    blocks: Array.from({ length: 3 }, () => ({ headDim: 4, hiddenDim: 20 })),
  },
});

/** Logits of two random pictures of 8 × 8. */
export function logitsOf(
  model: Model<VisionTransformerParams, ImageInputs, Logits>,
  params: VisionTransformerParams,
): number[] {
  const random = randomStream(1, 'pictures');
  const pixels = Float32Array.from({ length: 2 * 8 * 8 * 3 }, random.normal);
  return tidy(() => [...model.forward(params, { images: tensor4d(pixels, [2, 8, 8, 3]) }).logits.dataSync()]);
}

/** A loaded model, which has to be a vision transformer. */
export function asVisionTransformer(loaded: LoadedModel) {
  if (!visionTransformerFamily.holds(loaded))
    throw new Error(`expected a vision transformer, got ${loaded.kind}`);
  return loaded;
}
