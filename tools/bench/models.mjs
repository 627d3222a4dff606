import { visionTransformer, visionTransformerConfig } from '../../packages/core/dist/index.js';

/** The sizes that are compared, with how many steps of one make a round, so that a round takes seconds. */
export const benchModels = {
  nano: { preset: 'nano', imageSize: 32, patchSize: 8, classes: 9, batchSize: 64, steps: 100 },
  tiny: { preset: 'tiny', imageSize: 32, patchSize: 4, classes: 9, batchSize: 64, steps: 4 },
  'deit-s': { preset: 'small', imageSize: 224, patchSize: 16, classes: 1000, batchSize: 8, steps: 3 },
};

export const modelOf = ({ preset, imageSize, patchSize, classes }) =>
  visionTransformer(visionTransformerConfig(preset, { imageSize, patchSize, classes }));

/** The same sizes in the words of the peer. */
export function peerSizes({ preset, imageSize, patchSize, classes }) {
  const { tower } = visionTransformerConfig(preset, { imageSize, patchSize, classes });
  return {
    image_size: imageSize,
    patch_size: patchSize,
    embed_dim: tower.embedDim,
    heads: tower.heads,
    layers: tower.blocks.length,
    classes,
  };
}

/** Operations of one picture, two per multiply–accumulate; a backward pass costs two forward passes. */
export function operationsPerImage(sizes, what) {
  const { macs } = modelOf(sizes).account;
  return (what === 'infer' ? 2 : 6) * macs;
}
