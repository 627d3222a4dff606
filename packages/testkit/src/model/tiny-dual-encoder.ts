import { type BlockShape, type DualEncoderConfig, dualEncoder, randomStream } from '@winnow/core';
import { freshParams } from './drawn';
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

/** A tiny SigLIP: attention pooling without a class token, texts read at their last place, the sigmoid loss. */
export function tinySigmoidEncoder(seed = 1): TinyModel {
  return pairwise(
    {
      patchSize: 4,
      projectionDim: 16,
      vision: tinyTower('gelu-tanh'),
      text: tinyTower('gelu-tanh'),
    },
    { headDim: 8, hiddenDim: 32 },
    seed,
  );
}

/** A tiny SigLIP whose towers' geometries are drawn from the seed, apart from each other. */
export function tinySigmoidEncoderVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'sigmoid variant');
  const vision = towerVariant('gelu-tanh', random);
  const text = towerVariant('gelu-tanh', random);
  const towers = { vision, text, patchSize: random.integer(2) === 0 ? 2 : 4, projectionDim: vision.embedDim };
  return pairwise(towers, { headDim: vision.denseHeadDim, hiddenDim: 20 + random.integer(20) }, seed);
}

interface Towers extends Pick<DualEncoderConfig, 'projectionDim'> {
  readonly patchSize: number;
  readonly vision: DualEncoderConfig['vision']['tower'];
  readonly text: DualEncoderConfig['text']['tower'];
}

function pairwise(towers: Towers, attentionPool: BlockShape, seed: number): TinyModel {
  const { vision, text, ...rest } = clipOf(towers);
  return freshModel(
    {
      ...rest,
      projections: 'text-alone',
      loss: 'sigmoid',
      vision: { ...vision, embeddingNorm: false, patchBias: true, classToken: false, attentionPool },
      text: { ...text, endToken: 'last', tower: towers.text },
    },
    seed,
  );
}

const fresh = (towers: Towers, seed: number): TinyModel => freshModel(clipOf(towers), seed);

function freshModel(config: DualEncoderConfig, seed: number): TinyModel {
  const model = dualEncoder(config);
  return { model, params: freshParams(model, seed) };
}

function clipOf({ patchSize, projectionDim, vision, text }: Towers): DualEncoderConfig {
  const { imageSize, channels } = toyShape;
  return {
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
  };
}
