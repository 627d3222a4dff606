import { type DualEncoderConfig, type TensorTree, dualEncoder, initialize, randomStream } from '@winnow/core';
import { toyShape } from '../data/toy-data';
import { toyTextShape } from '../data/toy-pairs';
import { type TinyModel, tinyTower, towerVariant } from './tiny-model';

/** A dual encoder that trains in milliseconds: two towers of two blocks, width 16, for told stripes. */
export function tinyDualEncoder(seed = 1): TinyModel {
  return fresh(
    { patchSize: 4, projectionDim: 8, vision: tinyTower('quick-gelu'), text: tinyTower('quick-gelu') },
    seed,
  );
}

/** A tiny dual encoder whose towers' geometries are drawn from the seed, apart from each other. */
export function tinyDualEncoderVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'dual variant');
  return fresh(
    {
      vision: towerVariant('quick-gelu', random),
      text: towerVariant('quick-gelu', random),
      patchSize: random.integer(2) === 0 ? 2 : 4,
      projectionDim: 4 + random.integer(8),
    },
    seed,
  );
}

/** A tiny dual encoder of a drawn geometry, with towers and layers of one size. */
export function tinyTwinsVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'twins variant');
  const { blocks, ...rest } = towerVariant('quick-gelu', random);
  const tower = { ...rest, blocks: blocks.map(() => blocks[0] ?? { headDim: 4, hiddenDim: 20 }) };
  return fresh({ vision: tower, text: tower, patchSize: 4, projectionDim: 6 }, seed);
}

interface Towers extends Pick<DualEncoderConfig, 'projectionDim'> {
  readonly patchSize: number;
  readonly vision: DualEncoderConfig['vision']['tower'];
  readonly text: DualEncoderConfig['text']['tower'];
}

function fresh({ patchSize, projectionDim, vision, text }: Towers, seed: number): TinyModel {
  const { imageSize, channels } = toyShape;
  const model = dualEncoder({
    kind: 'dual-encoder',
    projectionDim,
    vision: {
      imageSize,
      channels,
      patchSize,
      distillation: 'none',
      embeddingNorm: true,
      patchBias: false,
      tower: vision,
    },
    text: { ...toyTextShape, tower: { ...text, causal: true } },
  });
  return { model, params: initialize<TensorTree>(model.specs, seed) };
}
