import { type ClipTextConfig, type DualEncoderConfig, disposeTree, downloadTree } from '@winnow/core';
import { type ImportOptions, importModel } from '../../src/index';
import type { Naming } from '../../src/layouts/naming';
import { randomValues } from '../random-model';
import { theirsOf } from './checkpoints';

/** Width of the vision tower; the text tower is 64 wide, as OpenAI's files say nothing of the number of heads. */
export const D = 128;

/** Towers of one layer. */
export const dual: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 5,
  vision: {
    imageSize: 4,
    patchSize: 2,
    channels: 3,
    distillation: 'none',
    embeddingNorm: true,
    patchBias: false,
    tower: {
      embedDim: D,
      heads: 2,
      denseHeadDim: 64,
      activation: 'quick-gelu',
      causal: false,
      normEpsilon: 1e-5,
      blocks: [{ headDim: 64, hiddenDim: 6 }],
    },
  },
  text: {
    vocabulary: 9,
    context: 4,
    endToken: 8,
    tower: {
      embedDim: 64,
      heads: 1,
      denseHeadDim: 64,
      activation: 'quick-gelu',
      causal: true,
      normEpsilon: 1e-5,
      blocks: [{ headDim: 64, hiddenDim: 7 }],
    },
  },
};

export const text: ClipTextConfig = { kind: 'clip-text', projectionDim: 5, ...dual.text };

type Clip = ClipTextConfig | DualEncoderConfig;

/** Our values of the two models, whose shapes no test changes. */
export const values = { 'dual-encoder': randomValues(dual, 1), 'clip-text': randomValues(text, 1) };

export const theirClip = (config: Clip, naming: Naming) => theirsOf(config, naming, values[config.kind]);

/** Imports what was written, and expects the very values that were; gives what was left out. */
export async function expectClip(
  folder: string,
  config: Clip,
  options?: ImportOptions,
): Promise<readonly string[]> {
  const { model, params, leftOut } = await importModel(folder, options);
  expect(model.config).toEqual(config);
  expect(await downloadTree(params)).toEqual(values[config.kind]);
  disposeTree(params);
  return leftOut;
}

/** The value of a tensor at a place, which must name every axis. */
export function valueAt(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: ArrayLike<number> }>,
  name: string,
  ...place: number[]
): number | undefined {
  const { shape = [], values: stored = [] } = tensors.get(name) ?? {};
  expect(place).toHaveLength(shape.length);
  return stored[place.reduce((offset, index, axis) => offset * (shape[axis] ?? 0) + index, 0)];
}
