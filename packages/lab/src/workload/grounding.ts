import { grounding, regionGrounding } from '@winnow/core';
import {
  type TokenizedRegionGroundingData,
  identifyGroundingDataset,
  namesGroundingData,
  openGroundingDataset,
  openRegionGroundingDataset,
} from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { byFamily } from './by-family';
import { imagesOf, imagesShape } from './images';
import { mdetrKind } from './mdetr';
import { regionShapeOf } from './region-models';
import { type RegionTask, regionKind } from './region-task';
import { groundingSaid } from './said-boxes';
import type { WorkloadKind } from './workload';

const common = {
  name: 'grounding',
  defaultData: 'scenes-expressions',
  fits: namesGroundingData,
  dataShape: imagesShape,
  identify: (data: string, options: unknown) =>
    identifyGroundingDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
} as const;

const regionTask: RegionTask<TokenizedRegionGroundingData> = {
  ...common,
  open: (data, reading, regions, options) =>
    openRegionGroundingDataset(data, { ...reading, ...imagesOf(options) }, regions),
  headFor: () => ({ kind: 'expressions' }),
  taskOf: (model, config) =>
    regionGrounding(model, { ...regionShapeOf(config), endToken: config.text.endToken }),
};

/**
 * Finding the object that a text means, or those of each of its phrases, by an MDETR; or picking the region that it means, by a UNITER or an
 * LXMERT.
 */
const byAnyone = byFamily({
  names: ['mdetr', 'uniter', 'lxmert'],
  members: {
    mdetr: mdetrKind({
      ...common,
      open: (data, reading, options) => openGroundingDataset(data, { ...reading, ...imagesOf(options) }),
      questionsOf: () => undefined,
      said: groundingSaid,
      taskOf: (model, { text }, { imageSize, channels, phrases }) =>
        grounding(model, { imageSize, channels, phrases, endToken: text.endToken }),
    }),
    uniter: regionKind(regionTask, 'uniter'),
    lxmert: regionKind(regionTask, 'lxmert'),
  },
  ofRegions: ['uniter', 'lxmert'],
  says: 'Who finds: mdetr (boxes of its own; the default), uniter (one of the regions, by words and regions in one trunk) or lxmert (the same by a stream each)',
});

export const groundingKind: WorkloadKind = { ...byAnyone, alsoFor: ['uniter', 'lxmert'] };
