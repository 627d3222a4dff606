import { type GlipConfig, glip, randomStream } from '@winnow/core';
import { freshParams } from './drawn';
import { toyShape } from '../data/toy-data';
import { toyTextShape } from '../data/toy-pairs';
import { type TinyModel, tinyTower, towerVariant } from './tiny-model';

const head = {
  width: 8,
  groups: 2,
  rounds: 1,
  deepFusion: true,
  heads: 2,
  fusionDim: 8,
  anchorScale: 2,
} as const;

/** A model that detects stripes in milliseconds: two towers of two blocks, width 16, and a head of width 8 on one grid. */
export const tinyGlip = (seed = 1): TinyModel => fresh(tinyTower('quick-gelu'), 'flat', seed);

/** A tiny GLIP of a drawn geometry, with towers and layers of one size; on a pyramid, as its grid is even. */
export function tinyGlipVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'glip variant');
  const { blocks, ...rest } = towerVariant('quick-gelu', random);
  const tower = { ...rest, blocks: blocks.map(() => blocks[0] ?? { headDim: 4, hiddenDim: 20 }) };
  return fresh(tower, 'pyramid', seed);
}

function fresh(
  tower: GlipConfig['vision']['tower'],
  levels: GlipConfig['head']['levels'],
  seed: number,
): TinyModel {
  const { imageSize, channels } = toyShape;
  const model = glip({
    kind: 'glip',
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
    head: { ...head, levels },
  });
  return { model, params: freshParams(model, seed) };
}
