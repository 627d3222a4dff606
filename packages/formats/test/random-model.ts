import {
  type ClipTextConfig,
  type DualEncoderConfig,
  type HostTensor,
  type ModelConfig,
  type ParameterSpec,
  type TextTowerConfig,
  type TowerConfig,
  type VisionTowerConfig,
  type VisionTransformerConfig,
  entriesOf,
  modelOf,
  pictureSizeOf,
  randomStream,
  sizeOf,
} from '@winnow/core';
import fc from 'fast-check';

/** Small towers of uniform layers. */
const towerOf = (causal: boolean): fc.Arbitrary<TowerConfig> =>
  fc
    .record({
      heads: fc.integer({ min: 1, max: 3 }),
      headDim: fc.integer({ min: 1, max: 4 }),
      hiddenDim: fc.integer({ min: 1, max: 9 }),
      layers: fc.integer({ min: 1, max: 3 }),
      activation: fc.constantFrom('gelu' as const, 'gelu-tanh' as const, 'quick-gelu' as const),
      normEpsilon: fc.constantFrom(1e-5, 1e-6, 1e-12),
    })
    .map(({ heads, headDim, hiddenDim, layers, activation, normEpsilon }) => ({
      embedDim: heads * headDim,
      heads,
      denseHeadDim: headDim,
      activation,
      causal,
      normEpsilon,
      blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim })),
    }));

const pictureOf = (isSquare: boolean) =>
  fc
    .record({
      rows: fc.integer({ min: 1, max: 2 }),
      columns: fc.integer({ min: 1, max: 2 }),
      patchSize: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ rows, columns, patchSize, channels }) => ({
      imageSize: pictureSizeOf({
        height: (isSquare ? columns : rows) * patchSize,
        width: columns * patchSize,
      }),
      patchSize,
      channels,
    }));
const picture = pictureOf(false);
/** CLIP and SigLIP of `transformers` have no others. */
const square = pictureOf(true);

/** DINOv2s, with registers and without. */
export const dinov2s: fc.Arbitrary<VisionTransformerConfig> = fc
  .record({
    picture,
    tower: towerOf(false),
    classes: fc.integer({ min: 1, max: 4 }),
    registers: fc.integer({ min: 0, max: 2 }),
    inputBias: fc.boolean(),
    layerScale: fc.constantFrom(1, 1e-5),
    ratio: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ picture, tower, classes, registers, inputBias, layerScale, ratio }) => ({
    kind: 'vision-transformer',
    ...picture,
    classes,
    distillation: 'none',
    ...(registers === 0 ? {} : { registers, positioned: 'without-registers' }),
    embeddingNorm: false,
    patchBias: true,
    headInput: 'class-and-mean',
    tower: {
      ...tower,
      ...(inputBias ? {} : { inputBias: false }),
      layerScale,
      blocks: tower.blocks.map((block) => ({ ...block, hiddenDim: ratio * tower.embedDim })),
    },
  }));

export const visionTransformers: fc.Arbitrary<VisionTransformerConfig> = fc
  .record({
    picture,
    tower: towerOf(false),
    classes: fc.integer({ min: 1, max: 4 }),
    distillation: fc.constantFrom('none' as const, 'token' as const, 'head' as const),
    inputBias: fc.boolean(),
  })
  .map(({ picture, tower, inputBias, ...rest }) => ({
    kind: 'vision-transformer',
    ...picture,
    embeddingNorm: false,
    patchBias: true,
    ...rest,
    tower: { ...tower, ...(inputBias ? {} : { inputBias: false }) },
  }));

const clipVision: fc.Arbitrary<VisionTowerConfig> = fc
  .record({ picture: square, tower: towerOf(false) })
  .map(({ picture, tower }) => ({
    ...picture,
    distillation: 'none',
    embeddingNorm: true,
    patchBias: false,
    tower,
  }));

/** An end token of 2 is not among them: it means something else to Hugging Face. */
const clipTextTower: fc.Arbitrary<TextTowerConfig> = fc.record({
  vocabulary: fc.integer({ min: 6, max: 9 }),
  context: fc.integer({ min: 2, max: 5 }),
  endToken: fc.oneof(fc.integer({ min: 3, max: 5 }), fc.constant('greatest' as const)),
  tower: towerOf(true),
});

const projectionDim = fc.integer({ min: 1, max: 6 });

export const clipTexts: fc.Arbitrary<ClipTextConfig> = fc
  .record({ text: clipTextTower, projectionDim })
  .map(({ text, projectionDim }) => ({ kind: 'clip-text', ...text, projectionDim }));

export const dualEncoders: fc.Arbitrary<DualEncoderConfig> = fc
  .record({ vision: clipVision, text: clipTextTower, projectionDim })
  .map((config) => ({ kind: 'dual-encoder', ...config }));

const siglipVision: fc.Arbitrary<VisionTowerConfig> = fc
  .record({ picture: square, tower: towerOf(false) })
  .map(({ picture, tower }) => ({
    ...picture,
    distillation: 'none',
    classToken: false,
    embeddingNorm: false,
    patchBias: true,
    tower,
  }));

export const siglips: fc.Arbitrary<DualEncoderConfig> = fc
  .record({
    vision: siglipVision,
    text: fc.record({
      vocabulary: fc.integer({ min: 6, max: 9 }),
      context: fc.integer({ min: 2, max: 5 }),
      endToken: fc.constant('last' as const),
      tower: towerOf(false),
    }),
  })
  .map(({ vision, text }) => ({
    kind: 'dual-encoder',
    projectionDim: vision.tower.embedDim,
    projections: 'text-alone',
    loss: 'sigmoid',
    vision: {
      ...vision,
      attentionPool: {
        headDim: vision.tower.denseHeadDim,
        hiddenDim: vision.tower.blocks[0]?.hiddenDim ?? 1,
      },
    },
    text,
  }));

/** SigLIP's vision tower as a classifier of `transformers`: by the mean of the patches. */
export const siglipClassifiers: fc.Arbitrary<VisionTransformerConfig> = fc
  .record({ vision: siglipVision, classes: fc.integer({ min: 1, max: 4 }) })
  .map(({ vision, classes }) => ({ kind: 'vision-transformer', classes, ...vision, headInput: 'mean' }));

/** Parameters by path where nearly every value is another, so that any mix-up shows. */
export function randomValues(config: ModelConfig, seed: number, deviation = 1): Map<string, HostTensor> {
  const { normal } = randomStream(seed, 'values');
  return new Map(
    entriesOf<ParameterSpec>(modelOf(config).specs).map(([path, { shape }]) => [
      path,
      {
        dtype: 'float32',
        shape,
        values: Float32Array.from({ length: sizeOf({ shape }) }, () => deviation * normal()),
      },
    ]),
  );
}

/** One example of an arbitrary, always the same. */
export function one<Value>(arbitrary: fc.Arbitrary<Value>): Value {
  const [value] = fc.sample(arbitrary, { numRuns: 1, seed: 3 });
  if (value === undefined) throw new Error('expected an example');
  return value;
}
