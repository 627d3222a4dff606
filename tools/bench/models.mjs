import {
  blip,
  dualEncoder,
  fusionPresets,
  mdetr,
  textStackConfig,
  textTowerConfig,
  visionTowerConfig,
  visionTransformer,
  visionTransformerConfig,
} from '../../packages/core/dist/index.js';

const onPictures = { whats: ['train', 'infer', 'search', 'ticket', 'masked'], hasPeers: true };
/** Two towers; what only they can do is compared with their own dense step. */
const onPairs = { whats: ['train', 'search', 'align', 'structure', 'ticket', 'masked'], hasPeers: false };
const text = { preset: 'nano', vocabulary: 1000, context: 16 };

const scenes = { imageSize: 96, patchSize: 12, batchSize: 64, steps: 6 };

const dinov2 = { preset: 'small', patchSize: 14, layerScale: 1, classes: 10, ...onPictures };

/** CLIP's published text tower beside ViT-B. */
const clipText = { preset: 'clip-base', vocabulary: 49_408, context: 77 };
const CLIP_PROJECTION = 512;

/** Parts that are left of a model: all of it, or a half or a quarter, evenly or as UPop leaves it. */
export const benchCuts = {
  dense: { keep: 1, uneven: false },
  '2x': { keep: 0.5, uneven: false },
  '4x': { keep: 0.25, uneven: false },
  '2x-upop': { keep: 0.5, uneven: true },
  '4x-upop': { keep: 0.25, uneven: true },
};

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
  // DINOv2-small: 14-pixel patches, layer scale; positions as its tasks have them.
  'dinov2-s': { ...dinov2, imageSize: 224, batchSize: 8, steps: 3 },
  'dinov2-s-112': { ...dinov2, imageSize: 112, batchSize: 32, steps: 3 },
  // CLIP ViT-B/16 with its own norm, activation and projections. A processor needs seconds for a step, so it is only timed by name.
  'clip-b': {
    ...{
      preset: 'base',
      isClip: true,
      text: clipText,
      imageSize: 224,
      patchSize: 16,
      batchSize: 8,
      steps: 2,
    },
    ...{ whats: ['train', 'infer'], hasPeers: true, isByName: true },
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
  // As `--task grounding` and `--task captions` make them for scenes.
  'nano-mdetr': { preset: 'nano', fusion: 'nano', text, ...scenes, ...onPairs },
  'nano-blip': { preset: 'nano', writes: true, text, ...scenes, ...onPairs, whats: ['train', 'search'] },
};

export function modelOf(sizes) {
  const { preset, text, fusion, writes, isClip = false, imageSize, patchSize } = sizes;
  if (text === undefined) return visionTransformer(visionConfig(sizes));
  const plain = visionTowerConfig(preset, { imageSize, patchSize });
  const vision = isClip ? asInClip(plain) : plain;
  if (writes) return blip(writerOf(vision, text));
  const reader = textTowerConfig(text.preset, text);
  if (fusion !== undefined)
    return mdetr({ kind: 'mdetr', vision, text: reader, fusion: fusionPresets[fusion] });
  const projectionDim = isClip ? CLIP_PROJECTION : vision.tower.embedDim;
  return dualEncoder({ kind: 'dual-encoder', projectionDim, vision, text: reader });
}

function asInClip({ tower, ...vision }) {
  const own = { ...tower, activation: 'quick-gelu', normEpsilon: 1e-5 };
  return { ...vision, embeddingNorm: true, patchBias: false, tower: own };
}

function writerOf(vision, { preset, vocabulary, context }) {
  const decoder = textStackConfig(preset, { vocabulary, context, norm: 'before' });
  const tokens = { start: vocabulary - 2, end: vocabulary - 1 };
  return { kind: 'blip', purpose: 'captions', vision, tokens, decoder };
}

function visionConfig({ preset, imageSize, patchSize, classes, layerScale, cut = 'dense' }) {
  const config = visionTransformerConfig(preset, { imageSize, patchSize, classes });
  const scale = layerScale === undefined ? {} : { layerScale };
  const blocks = cutBlocks(config.tower.blocks, cut);
  return { ...config, tower: { ...config.tower, ...scale, blocks } };
}

/**
 * Shares of each layer's head dimensions and hidden units that UPop kept of DINOv2-small, fine-tuned on clothing
 * photographs, at 2×: as uneven and as odd as its widths are.
 */
const upopShares = [
  [9, 894],
  [22, 780],
  [8, 889],
  [31, 844],
  [22, 885],
  [45, 923],
  [13, 917],
  [35, 972],
  [25, 986],
  [15, 1002],
  [29, 945],
  [30, 379],
].map(([headDim, hiddenDim]) => ({ head: headDim / 64, hidden: hiddenDim / 1536 }));

/** The widths that a cut leaves: of every layer the same share, or the shares that UPop kept, scaled to the budget. */
function cutBlocks(blocks, cut) {
  const { keep, uneven } = benchCuts[cut];
  const part = (width, share) => Math.min(width, Math.max(1, Math.round(width * share)));
  return blocks.map(({ headDim, hiddenDim }, layer) => {
    const like = upopShares[Math.floor((layer * upopShares.length) / blocks.length)];
    const [head, hidden] = uneven ? [2 * keep * like.head, 2 * keep * like.hidden] : [keep, keep];
    return { headDim: part(headDim, head), hiddenDim: part(hiddenDim, hidden) };
  });
}

/** The same sizes in the words of the peer. */
export function peerSizes(sizes) {
  const { config } = modelOf(sizes);
  const { vision = config, text, projectionDim } = config;
  return {
    image_size: vision.imageSize,
    patch_size: vision.patchSize,
    classes: text === undefined ? sizes.classes : projectionDim,
    embedding_norm: vision.embeddingNorm,
    patch_bias: vision.patchBias,
    head_bias: text === undefined,
    ...towerSizes(vision.tower),
    ...(text === undefined
      ? {}
      : { text: { vocabulary: text.vocabulary, context: text.context, ...towerSizes(text.tower) } }),
  };
}

const towerSizes = ({ embedDim, heads, blocks, layerScale = null, normEpsilon, activation, causal }) => ({
  embed_dim: embedDim,
  heads,
  head_dims: blocks.map(({ headDim }) => headDim),
  hidden_dims: blocks.map(({ hiddenDim }) => hiddenDim),
  layer_scale: layerScale,
  norm_epsilon: normEpsilon,
  activation,
  causal,
});

/** Operations of one picture, two per multiply–accumulate; a backward pass costs two forward passes. */
export function operationsPerImage(sizes, what) {
  const { macs } = modelOf(sizes).account;
  return (what === 'infer' ? 2 : 6) * macs;
}
