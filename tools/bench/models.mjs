import {
  dualEncoder,
  textTowerConfig,
  visionTowerConfig,
  visionTransformer,
  visionTransformerConfig,
} from '../../packages/core/dist/index.js';

const onPictures = { whats: ['train', 'infer', 'search', 'ticket', 'masked'], hasPeers: true };
/** Two towers; what only they can do is compared with their own dense step. */
const onPairs = { whats: ['train', 'search', 'align', 'structure', 'ticket', 'masked'], hasPeers: false };
const text = { preset: 'nano', vocabulary: 1000, context: 16 };

/** The sizes that are compared, with how many steps of one make a round, so that a round takes seconds. */
export const benchModels = {
  nano: { preset: 'nano', imageSize: 32, patchSize: 8, classes: 9, batchSize: 64, steps: 100, ...onPictures },
  tiny: { preset: 'tiny', imageSize: 32, patchSize: 4, classes: 9, batchSize: 64, steps: 4, ...onPictures },
  'deit-s': {
    preset: 'small',
    imageSize: 224,
    patchSize: 16,
    classes: 1000,
    batchSize: 8,
    steps: 3,
    ...onPictures,
  },
  'nano-pairs': { preset: 'nano', text, imageSize: 32, patchSize: 8, batchSize: 64, steps: 50, ...onPairs },
  'tiny-pairs': {
    preset: 'tiny',
    text: { ...text, preset: 'tiny' },
    imageSize: 32,
    patchSize: 8,
    batchSize: 64,
    steps: 6,
    ...onPairs,
  },
};

export function modelOf({ preset, text, imageSize, patchSize, classes }) {
  if (text === undefined)
    return visionTransformer(visionTransformerConfig(preset, { imageSize, patchSize, classes }));
  const vision = visionTowerConfig(preset, { imageSize, patchSize });
  return dualEncoder({
    kind: 'dual-encoder',
    projectionDim: vision.tower.embedDim,
    vision,
    text: textTowerConfig(text.preset, text),
  });
}

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
