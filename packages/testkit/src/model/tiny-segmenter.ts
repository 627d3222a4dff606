import { type SegmenterConfig, maskDecoder, randomStream, segmenter } from '@winnow/core';
import { freshParams } from './drawn';
import { toyShape } from '../data/toy-data';
import { type TinyModel, tinyTower, towerVariant } from './tiny-model';

/** A model that says of every pixel what it shows: an encoder and a decoder of two blocks each, width 16. */
export const tinySegmenter = (seed = 1): TinyModel => fresh(tinyTower('gelu'), seed);

/** A tiny segmenter of a drawn geometry. */
export const tinySegmenterVariant = (seed: number): TinyModel =>
  fresh(towerVariant('gelu', randomStream(seed, 'segmenter variant')), seed);

function fresh(tower: SegmenterConfig['vision']['tower'], seed: number): TinyModel {
  const { imageSize, channels, classes } = toyShape;
  const vision = {
    imageSize,
    channels,
    patchSize: 4,
    distillation: 'none',
    embeddingNorm: false,
    patchBias: true,
    tower,
  } as const;
  const model = segmenter({ kind: 'segmenter', vision, classes, decoder: maskDecoder({ tower }) });
  return { model, params: freshParams(model, seed) };
}
