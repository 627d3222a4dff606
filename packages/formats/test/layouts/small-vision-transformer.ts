import { type Distillation, type VisionTransformerConfig, disposeTree, downloadTree } from '@winnow/core';
import { importVisionTransformer } from '../../src/index';
import { countedValues } from './checkpoints';

/** Two blocks of width 6 with two heads, on pictures of 4 × 4 pixels in patches of 2, two channels. */
export const small = (distillation: Distillation, normEpsilon: number): VisionTransformerConfig => ({
  kind: 'vision-transformer',
  imageSize: 4,
  patchSize: 2,
  channels: 2,
  classes: 3,
  distillation,
  embeddingNorm: false,
  patchBias: true,
  tower: {
    embedDim: 6,
    heads: 2,
    denseHeadDim: 3,
    activation: 'gelu',
    causal: false,
    normEpsilon,
    blocks: [
      { headDim: 3, hiddenDim: 10 },
      { headDim: 3, hiddenDim: 10 },
    ],
  },
});

/** Imports what was written, and expects the very values of `countedValues`. */
export async function expectImported(
  folder: string,
  expected: VisionTransformerConfig,
  options: { heads?: number } = {},
): Promise<void> {
  const { model, params, leftOut } = await importVisionTransformer(folder, options);
  expect(model.config).toEqual(expected);
  expect(await downloadTree(params)).toEqual(countedValues(expected));
  expect(leftOut).toEqual([]);
  disposeTree(params);
}
