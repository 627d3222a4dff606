import { regionStatements, statements } from '@winnow/core';
import {
  type TokenizedRegionStatementData,
  type TokenizedStatementData,
  identifyStatementDataset,
  namesStatementData,
  openRegionStatementDataset,
  openStatementDataset,
} from '@winnow/data';
import type { DataChoice } from '../options/training';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { type BlipReading, blipKind } from './blip';
import { byFamily } from './by-family';
import { imagesOf, imagesShape } from './images';
import { viltKind } from './one-stream';
import { regionShapeOf } from './region-models';
import { type RegionTask, regionKind } from './region-task';
import { statementSaid } from './said';
import { toldReading } from './told';

const common = {
  name: 'statements',
  defaultData: 'scenes-statements',
  fits: namesStatementData,
  dataShape: imagesShape,
  identify: (data: string, options: unknown) =>
    identifyStatementDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
} as const;

const open = (choice: DataChoice, reading: BlipReading, options: unknown): Promise<TokenizedStatementData> =>
  openStatementDataset(choice.data, { ...toldReading('statements', choice, reading), ...imagesOf(options) });

const regionTask: RegionTask<TokenizedRegionStatementData> = {
  ...common,
  open: (data, reading, regions, options) =>
    openRegionStatementDataset(data, { ...reading, ...imagesOf(options) }, regions),
  headFor: () => ({ kind: 'statements' }),
  taskOf: (model, config) =>
    regionStatements(model, { ...regionShapeOf(config), endToken: config.text.endToken }),
};

/** Judging statements about two pictures: by a BLIP whose text stack looks at both, a ViLT, a UNITER or an LXMERT. */
export const statementsKind = byFamily({
  names: ['blip', 'vilt', 'uniter', 'lxmert'],
  members: {
    blip: blipKind({
      ...common,
      purpose: 'statements',
      open,
      said: statementSaid,
      taskOf: (model, { imageSize, channels, endToken }) =>
        statements(model, { imageSize, channels, endToken }),
    }),
    vilt: viltKind({
      ...common,
      open,
      headFor: () => ({ kind: 'statements' }),
      taskOf: (model, { text }, { imageSize, channels }) =>
        statements(model, { imageSize, channels, endToken: text.endToken }),
    }),
    uniter: regionKind(regionTask, 'uniter'),
    lxmert: regionKind(regionTask, 'lxmert'),
  },
  ofRegions: ['uniter', 'lxmert'],
  says: 'Who judges: blip (a text stack that looks at both pictures; the default), vilt (words and patches in one trunk, each picture by itself), uniter (words and regions in one trunk) or lxmert (a stream each)',
});
