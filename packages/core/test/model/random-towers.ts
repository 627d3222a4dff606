import { type Tensor2D, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { DualEncoderConfig, RandomStream, TextTowerConfig, TowerConfig } from '../../src/index';
import { normEpsilon, smallConfigs } from './random-model';

const textTowers: fc.Arbitrary<TowerConfig> = fc.record({
  embedDim: fc.integer({ min: 2, max: 9 }),
  heads: fc.integer({ min: 1, max: 3 }),
  denseHeadDim: fc.integer({ min: 4, max: 6 }),
  activation: fc.constantFrom('gelu', 'gelu-tanh', 'quick-gelu'),
  causal: fc.constant(true),
  normEpsilon,
  blocks: fc.array(
    fc.record({ headDim: fc.integer({ min: 1, max: 6 }), hiddenDim: fc.integer({ min: 1, max: 12 }) }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** Small text towers; their layers differ in size, as after a cut. */
export const smallTextConfigs: fc.Arbitrary<TextTowerConfig> = fc
  .record({
    vocabulary: fc.integer({ min: 2, max: 12 }),
    context: fc.integer({ min: 2, max: 9 }),
    end: fc.nat(),
    tower: textTowers,
  })
  .map(({ vocabulary, context, end, tower }) => ({
    vocabulary,
    context,
    endToken: end % (vocabulary + 1) === vocabulary ? 'greatest' : end % (vocabulary + 1),
    tower,
  }));

/** Small dual encoders; their towers differ in width and depth. */
export const smallDualEncoders: fc.Arbitrary<DualEncoderConfig> = fc
  .record({
    vision: smallConfigs,
    text: smallTextConfigs,
    projectionDim: fc.integer({ min: 2, max: 7 }),
    readsLast: fc.boolean(),
    isProjected: fc.boolean(),
    loss: fc.constantFrom(undefined, 'sigmoid'),
  })
  .map(({ vision, text, projectionDim, readsLast, isProjected, loss }) => {
    const {
      attentionPool,
      classToken,
      imageSize,
      patchSize,
      channels,
      registers,
      positioned,
      embeddingNorm,
      patchBias,
      tower,
    } = vision;
    return {
      kind: 'dual-encoder',
      projectionDim: isProjected ? projectionDim : vision.tower.embedDim,
      ...(isProjected ? {} : { projections: 'text-alone' }),
      ...(loss === undefined ? {} : { loss }),
      vision: {
        ...(attentionPool === undefined
          ? {}
          : { attentionPool, ...(classToken === undefined ? {} : { classToken }) }),
        ...{ imageSize, patchSize, channels, embeddingNorm, patchBias, tower },
        distillation: 'none',
        ...(registers === undefined ? {} : { registers }),
        ...(positioned === undefined ? {} : { positioned }),
      },
      text: readsLast ? { ...text, endToken: 'last', tower: { ...text.tower, causal: false } } : text,
    };
  });

/** The token that ends the texts of `randomTexts`. */
export const endOf = ({ vocabulary, endToken }: TextTowerConfig): number =>
  typeof endToken === 'string' ? vocabulary - 1 : endToken;

/** Token indices that end where they should: words, the end token, and after it anything. All have `length` tokens. */
export function randomTexts(
  config: TextTowerConfig,
  random: RandomStream,
  count: number,
  length: number,
): number[][] {
  const { vocabulary } = config;
  const endToken = endOf(config);
  const word = () => {
    const drawn = random.integer(vocabulary - 1);
    return drawn < endToken ? drawn : drawn + 1;
  };
  return Array.from({ length: count }, () => {
    const end = random.integer(length);
    return Array.from({ length }, (_, position) => {
      if (position === end) return endToken;
      return position < end ? word() : random.integer(vocabulary);
    });
  });
}

export const asTokens = (texts: readonly (readonly number[])[]): Tensor2D =>
  tensor2d(texts.flat(), [texts.length, texts[0]?.length ?? 0], 'int32');

/** Two towers of the same shape. */
export const twins: fc.Arbitrary<DualEncoderConfig> = fc
  .record({
    heads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.integer({ min: 2, max: 4 }),
    hiddenDim: fc.integer({ min: 2, max: 6 }),
    layers: fc.integer({ min: 1, max: 3 }),
    normEpsilon,
  })
  .map(({ heads, headDim, hiddenDim, layers, normEpsilon }) => {
    const tower = {
      embedDim: heads * headDim,
      heads,
      denseHeadDim: headDim,
      activation: 'gelu',
      normEpsilon,
      blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim })),
    } as const;
    return {
      kind: 'dual-encoder',
      projectionDim: 4,
      vision: {
        imageSize: 4,
        patchSize: 2,
        channels: 1,
        distillation: 'none',
        embeddingNorm: false,
        patchBias: true,
        tower: { ...tower, causal: false },
      },
      text: { vocabulary: 6, context: 4, endToken: 5, tower: { ...tower, causal: true } },
    };
  });
