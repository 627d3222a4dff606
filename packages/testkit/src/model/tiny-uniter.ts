import { randomStream, uniter, uniterConfig } from '@winnow/core';
import { toyShape } from '../data/toy-data';
import { toyTextShape } from '../data/toy-pairs';
import { toyRegionShape } from '../data/toy-regions';
import { freshParams } from './drawn';
import { type TinyModel, tinyTower, towerVariant } from './tiny-model';

/** A model that reads words and regions in one trunk of two layers of width 16. */
export const tinyUniter = (seed = 1): TinyModel => fresh(tinyTower('gelu'), seed);

/** A tiny UNITER of a drawn geometry. */
export const tinyUniterVariant = (seed: number): TinyModel =>
  fresh(towerVariant('gelu', randomStream(seed, 'uniter variant')), seed);

function fresh({ blocks, ...tower }: ReturnType<typeof tinyTower>, seed: number): TinyModel {
  const { embedDim, heads, denseHeadDim } = tower;
  const model = uniter({
    ...uniterConfig('nano', {
      ...toyTextShape,
      ...toyRegionShape,
      head: { kind: 'answers', answers: toyShape.classes },
    }),
    ...{ embedDim, heads, denseHeadDim, trunk: { blocks } },
  });
  return { model, params: freshParams(model, seed) };
}
