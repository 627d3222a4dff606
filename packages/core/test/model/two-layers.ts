import { visionTransformer } from '../../src/index';

/** Two layers of two heads: four dimensions of heads and six hidden units each. */
export function twoLayers() {
  return visionTransformer({
    kind: 'vision-transformer',
    imageSize: 4,
    patchSize: 2,
    channels: 1,
    classes: 2,
    distillation: 'none',
    embeddingNorm: false,
    patchBias: true,
    tower: {
      embedDim: 4,
      heads: 2,
      denseHeadDim: 4,
      activation: 'gelu',
      causal: false,
      normEpsilon: 1e-6,
      blocks: [
        { headDim: 4, hiddenDim: 6 },
        { headDim: 4, hiddenDim: 6 },
      ],
    },
  });
}
