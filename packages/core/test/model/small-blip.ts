import { type BlipConfig, type BlipPurpose, type TextStackConfig, visionTowerConfig } from '../../src/index';

export const END = 8;
export const START = 9;

/** A BLIP of two blocks, whose pictures have another width than its texts. */
export function smallBlip(
  purpose: BlipPurpose,
  { norm = 'after', width = 12 }: { readonly norm?: TextStackConfig['norm']; readonly width?: number } = {},
): BlipConfig {
  const vision = visionTowerConfig('nano', { imageSize: 8, patchSize: 4 });
  const block = { headDim: 4, hiddenDim: 10 };
  const cross = Array.from({ length: purpose === 'statements' ? 2 : 1 }, () => ({ headDim: 4 }));
  const stack: TextStackConfig = {
    vocabulary: 11,
    context: 6,
    positions: 9,
    embedDim: 8,
    heads: 2,
    denseHeadDim: 4,
    activation: 'gelu',
    norm,
    normEpsilon: 1e-12,
    blocks: Array.from({ length: 2 }, () => ({ ...block, cross })),
  };
  return {
    kind: 'blip',
    purpose,
    vision: {
      ...vision,
      tower: { ...vision.tower, embedDim: width, heads: width / 4, denseHeadDim: 4, blocks: [block, block] },
    },
    tokens: { start: START, end: END, ground: 10 },
    ...(purpose === 'captions' ? {} : { encoder: stack }),
    ...(purpose === 'captions' || purpose === 'questions' ? { decoder: stack } : {}),
    ...(purpose === 'retrieval' ? { embeddings: { projectionDim: 4, temperature: 'learned' } } : {}),
  };
}
