import { randomStream } from '@winnow/core';
import { freshParams } from './drawn';
import { type CrossEncoderConfig, crossEncoder } from './cross-encoder';
import type { TinyModel } from './tiny-model';

/** A cross encoder that trains in milliseconds: words of width 16 look at four patches of width 12. */
export const tinyCrossEncoder = (seed = 1): TinyModel =>
  fresh(
    {
      kind: 'cross-encoder',
      patchDim: 12,
      patchSize: 4,
      embedDim: 16,
      heads: 2,
      denseHeadDim: 8,
      self: { headDim: 8 },
      cross: { headDim: 8 },
      ffn: { hiddenDim: 32 },
    },
    seed,
  );

/** A tiny cross encoder whose widths are drawn from the seed, as after a cut. */
export function tinyCrossEncoderVariant(seed: number): TinyModel {
  const random = randomStream(seed, 'cross variant');
  const between = (least: number, most: number) => least + random.integer(most - least + 1);
  const heads = between(1, 3);
  return fresh(
    {
      kind: 'cross-encoder',
      patchDim: between(5, 14),
      patchSize: random.integer(2) === 0 ? 2 : 4,
      embedDim: heads * between(4, 7),
      heads,
      denseHeadDim: 8,
      self: { headDim: between(3, 8) },
      cross: { headDim: between(3, 8) },
      ffn: { hiddenDim: between(8, 24) },
    },
    seed,
  );
}

function fresh(config: CrossEncoderConfig, seed: number): TinyModel {
  const model = crossEncoder(config);
  return { model, params: freshParams(model, seed) };
}
