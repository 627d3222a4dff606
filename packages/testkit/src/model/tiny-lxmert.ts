import { lxmert, lxmertConfig, randomStream } from '@winnow/core';
import { toyShape } from '../data/toy-data';
import { toyTextShape } from '../data/toy-pairs';
import { toyRegionShape } from '../data/toy-regions';
import { freshParams } from './drawn';
import { type TinyModel, tinyTower, towerVariant } from './tiny-model';

/** A model that reads words and regions in a stream of one layer each, which look at each other once; of width 16. */
export const tinyLxmert = (seed = 1): TinyModel => fresh(tinyTower('gelu'), seed);

/** A tiny LXMERT of a drawn geometry. */
export const tinyLxmertVariant = (seed: number): TinyModel =>
  fresh(towerVariant('gelu', randomStream(seed, 'lxmert variant')), seed);

function fresh({ blocks, ...tower }: ReturnType<typeof tinyTower>, seed: number): TinyModel {
  const { embedDim, heads, denseHeadDim } = tower;
  const { text, vision, ...rest } = lxmertConfig('mini', {
    ...toyTextShape,
    ...toyRegionShape,
    answers: toyShape.classes,
  });
  const [block = { headDim: 4, hiddenDim: 16 }, other = block] = blocks;
  const cross = { cross: { headDim: block.headDim }, text: block, vision: other };
  const model = lxmert({
    ...{ ...rest, embedDim, heads, denseHeadDim },
    text: { ...text, blocks: [block] },
    vision: { ...vision, blocks: [other] },
    cross: { blocks: [cross] },
  });
  return { model, params: freshParams(model, seed) };
}
