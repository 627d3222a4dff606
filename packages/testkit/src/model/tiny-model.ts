import {
  type Model,
  type RandomStream,
  type TensorTree,
  type TowerConfig,
  type VisionTransformerConfig,
  randomStream,
  visionTransformer,
} from '@winnow/core';
import { freshParams } from './drawn';
import { toyShape } from '../data/toy-data';

/** A model and fresh parameters for it, which the caller owns. */
export interface TinyModel {
  readonly model: Model;
  readonly params: TensorTree;
}

/** A vision transformer that trains in milliseconds: 8 px pictures, width 16, 2 heads, 2 blocks, 3 classes. */
export function tinyModel(seed = 1): TinyModel {
  return freshVisionTransformer({ patchSize: 4, tower: tinyTower('gelu') }, seed);
}

/** A tiny model whose geometry is drawn from the seed; its layers differ in size, as after a cut. */
export function tinyVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'variant');
  return freshVisionTransformer(
    { tower: towerVariant('gelu', random), patchSize: random.integer(2) === 0 ? 2 : 4 },
    seed,
  );
}

/** Two blocks of width 16 with 2 heads. */
export function tinyTower(activation: TowerConfig['activation']): TowerConfig {
  return {
    embedDim: 16,
    heads: 2,
    denseHeadDim: 8,
    activation,
    causal: false,
    normEpsilon: 1e-6,
    blocks: [
      { headDim: 8, hiddenDim: 32 },
      { headDim: 8, hiddenDim: 32 },
    ],
  };
}

/** A tower of a drawn geometry; its layers differ in size, as after a cut. */
export function towerVariant(activation: TowerConfig['activation'], random: RandomStream): TowerConfig {
  const between = (least: number, most: number) => least + random.integer(most - least + 1);
  const denseHeadDim = between(4, 8);
  return {
    ...tinyTower(activation),
    ...(random.integer(2) === 0 ? {} : { layerScale: 0.5 }),
    ...(random.integer(2) === 0 ? {} : { inputBias: false as const }),
    denseHeadDim,
    embedDim: 4 * between(3, 5),
    heads: between(1, 3),
    blocks: Array.from({ length: between(1, 3) }, () => ({
      headDim: between(4, denseHeadDim),
      hiddenDim: between(20, 40),
    })),
  };
}

function freshVisionTransformer(
  { patchSize, tower }: Pick<VisionTransformerConfig, 'patchSize' | 'tower'>,
  seed: number,
): TinyModel {
  const model = visionTransformer({
    kind: 'vision-transformer',
    ...toyShape,
    patchSize,
    distillation: 'none',
    embeddingNorm: false,
    patchBias: true,
    tower,
  });
  return { model, params: freshParams(model, seed) };
}
