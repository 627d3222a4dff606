import {
  type BlockShape,
  type TensorTree,
  type VisionTransformer,
  type VisionTransformerConfig,
  initialize,
  randomStream,
  visionTransformer,
} from '@winnow/core';
import { toyShape } from '../data/toy-data';

/** A model and fresh parameters for it, which the caller owns. */
export interface TinyModel {
  readonly model: VisionTransformer;
  readonly params: TensorTree;
}

/** A vision transformer that trains in milliseconds: 8 px pictures, width 16, 2 heads, 2 blocks, 3 classes. */
export function tinyModel(seed = 1): TinyModel {
  return fresh(
    tinyConfig({
      embedDim: 16,
      heads: 2,
      denseHeadDim: 8,
      patchSize: 4,
      blocks: [
        { headDim: 8, hiddenDim: 32 },
        { headDim: 8, hiddenDim: 32 },
      ],
    }),
    seed,
  );
}

/** A tiny model whose geometry is drawn from the seed; its layers differ in size, as after a cut. */
export function tinyVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'variant');
  const between = (least: number, most: number) => least + random.integer(most - least + 1);
  const denseHeadDim = between(4, 8);
  return fresh(
    tinyConfig({
      embedDim: 4 * between(3, 5),
      heads: between(1, 3),
      denseHeadDim,
      patchSize: between(0, 1) === 0 ? 2 : 4,
      blocks: Array.from({ length: between(1, 3) }, () => ({
        headDim: between(4, denseHeadDim),
        hiddenDim: between(20, 40),
      })),
    }),
    seed,
  );
}

interface Geometry {
  readonly embedDim: number;
  readonly heads: number;
  readonly denseHeadDim: number;
  readonly patchSize: number;
  readonly blocks: readonly BlockShape[];
}

function tinyConfig({ patchSize, ...tower }: Geometry): VisionTransformerConfig {
  return {
    kind: 'vision-transformer',
    ...toyShape,
    patchSize,
    distillation: 'none',
    embeddingNorm: false,
    patchBias: true,
    tower: { ...tower, activation: 'gelu', causal: false, normEpsilon: 1e-6 },
  };
}

function fresh(config: VisionTransformerConfig, seed: number): TinyModel {
  const model = visionTransformer(config);
  return { model, params: initialize<TensorTree>(model.specs, seed) };
}
