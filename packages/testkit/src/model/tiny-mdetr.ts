import { type MdetrConfig, mdetr, randomStream } from '@winnow/core';
import { freshParams } from './drawn';
import { toyShape } from '../data/toy-data';
import { toyTextShape } from '../data/toy-pairs';
import { type TinyModel, tinyTower, towerVariant } from './tiny-model';

const fusion = {
  width: 8,
  heads: 2,
  hiddenDim: 12,
  encoderLayers: 1,
  decoderLayers: 2,
  queries: 3,
  alignmentDim: 4,
} as const;

/** A model that finds stripes in milliseconds: two towers of two blocks, width 16, and a fusion of width 8. */
export const tinyMdetr = (seed = 1): TinyModel => fresh(tinyTower('quick-gelu'), seed);

/** A tiny MDETR of a drawn geometry, with towers and layers of one size. */
export function tinyMdetrVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'mdetr variant');
  const { blocks, ...rest } = towerVariant('quick-gelu', random);
  return fresh({ ...rest, blocks: blocks.map(() => blocks[0] ?? { headDim: 4, hiddenDim: 20 }) }, seed);
}

function fresh(tower: MdetrConfig['vision']['tower'], seed: number): TinyModel {
  const { imageSize, channels } = toyShape;
  const model = mdetr({
    kind: 'mdetr',
    vision: {
      imageSize,
      channels,
      patchSize: 4,
      distillation: 'none',
      embeddingNorm: false,
      patchBias: true,
      tower,
    },
    text: { ...toyTextShape, tower: { ...tower, causal: seed % 2 === 1 } },
    fusion,
  });
  return { model, params: freshParams(model, seed) };
}
