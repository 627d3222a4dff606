import { entailment, regionEntailment } from '@winnow/core';
import {
  type TokenizedRegionEntailmentData,
  entailmentLabels,
  identifyEntailmentDataset,
  namesEntailmentData,
  openEntailmentDataset,
  openRegionEntailmentDataset,
} from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { byFamily } from './by-family';
import { imagesOf, imagesShape } from './images';
import { viltKind } from './one-stream';
import { regionShapeOf } from './region-models';
import { type RegionTask, regionKind } from './region-task';
import { toldReading } from './told';

const head = { kind: 'answers', answers: entailmentLabels.length } as const;

const common = {
  name: 'entailment',
  defaultData: 'scenes-entailment',
  fits: namesEntailmentData,
  dataShape: imagesShape,
  classNames: entailmentLabels,
  headFor: () => head,
  identify: (data: string, options: unknown) =>
    identifyEntailmentDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
} as const;

const regionTask: RegionTask<TokenizedRegionEntailmentData> = {
  ...common,
  open: (data, reading, regions, options) =>
    openRegionEntailmentDataset(data, { ...reading, ...imagesOf(options) }, regions),
  taskOf: (model, config) =>
    regionEntailment(model, {
      ...regionShapeOf(config),
      ...{ endToken: config.text.endToken, classes: entailmentLabels },
    }),
};

/** Telling whether a picture says that a statement is true, that it is false, or neither: by a ViLT, a UNITER or an LXMERT, as they answer questions. */
export const entailmentKind = byFamily({
  names: ['vilt', 'uniter', 'lxmert'],
  members: {
    vilt: viltKind({
      ...common,
      open: (choice, reading, options) =>
        openEntailmentDataset(choice.data, {
          ...toldReading('entailment', choice, reading),
          ...imagesOf(options),
        }),
      taskOf: (model, { text }, { imageSize, channels }) =>
        entailment(model, { imageSize, channels, endToken: text.endToken, classes: entailmentLabels }),
    }),
    uniter: regionKind(regionTask, 'uniter'),
    lxmert: regionKind(regionTask, 'lxmert'),
  },
  ofRegions: ['uniter', 'lxmert'],
  says: 'Who judges: vilt (words and patches in one trunk; the default), uniter (words and regions in one trunk) or lxmert (a stream each)',
});
