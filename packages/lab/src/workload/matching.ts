import {
  JOINT_PICTURES,
  type MomentumOptions,
  UserError,
  jointMatching,
  matching,
  regionMatching,
} from '@winnow/core';
import { z } from 'zod';
import { identifyImageTextDataset, namesImageTextData, openRegionPairDataset } from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { blipKind } from './blip';
import { byFamily } from './by-family';
import { imagesOf, imagesShape } from './images';
import { viltKind } from './one-stream';
import { regionShapeOf } from './region-models';
import { regionKind } from './region-task';
import { openPairs } from './retrieval';

const common = {
  name: 'matching',
  defaultData: 'scenes-captions',
  fits: namesImageTextData,
  dataShape: imagesShape,
  identify: (data: string, options: unknown) =>
    identifyImageTextDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
} as const;

const trainingShape = {
  queue: z
    .int()
    .min(0)
    .max(65_536)
    .optional()
    .describe(
      'Of a blip: pictures and texts that a batch is compared with, by a copy that lags behind; default: 0, the batch alone',
    ),
  momentum: z
    .number()
    .min(0)
    .max(0.9999)
    .optional()
    .describe('How much of that copy stays in a step; default: 0.995'),
};
const trainingOptions = z.object(trainingShape);

/** @throws {UserError} where only one of both is said that go together. */
function momentumIn(training: unknown): MomentumOptions | undefined {
  const { queue = 0, momentum } = trainingOptions.parse(training);
  if (queue > 0) return { queue, ...(momentum === undefined ? {} : { momentum }) };
  if (momentum === undefined) return undefined;
  throw new UserError('--momentum is of the copy that fills a queue: say with --queue how long it is');
}

/** @throws {UserError} where options are about a copy and a queue, which others do not have. */
function refuseMomentum(training: unknown, family: string): void {
  const { queue, momentum } = trainingOptions.parse(training);
  if (queue !== undefined || momentum !== undefined)
    throw new UserError(`--queue and --momentum are for a blip, which has embeddings: a ${family} has none`);
}

/** Models that read each text about each picture have this. */
const jointly = {
  scoring: 'ranked',
  notes: [
    `recalls are among the first ${JOINT_PICTURES} pictures of a split and their texts: each text is read about each of them`,
  ],
} as const;

/**
 * Finding texts and pictures: by embeddings, and by reading the closest texts about the pictures, by a BLIP; or by reading all of them,
 * by a ViLT or a UNITER.
 */
export const matchingKind = byFamily({
  names: ['blip', 'vilt', 'uniter'],
  members: {
    blip: blipKind({
      ...common,
      purpose: 'retrieval',
      open: (choice, reading, options) => openPairs(choice, { ...imagesOf(options), ...reading }),
      trainingShape,
      taskOf: (model, { imageSize, channels }, training) => {
        const momentum = momentumIn(training);
        return matching(model, { imageSize, channels, ...(momentum === undefined ? {} : { momentum }) });
      },
    }),
    vilt: viltKind({
      ...common,
      ...jointly,
      open: (choice, reading, options) => openPairs(choice, { ...imagesOf(options), ...reading }),
      headFor: () => ({ kind: 'retrieval' }),
      taskOf: (model, { text }, { imageSize, channels }, training) => {
        refuseMomentum(training, 'vilt');
        return jointMatching(model, { imageSize, channels, endToken: text.endToken, loss: 'choice' });
      },
    }),
    uniter: regionKind(
      {
        ...common,
        ...jointly,
        open: (data, reading, regions, options) => {
          if (imagesOf(options).images !== undefined)
            throw new UserError('--images has no use for scenes, which are made: leave it out');
          return openRegionPairDataset(data, reading, regions);
        },
        headFor: () => ({ kind: 'retrieval' }),
        taskOf: (model, config, _, training) => {
          refuseMomentum(training, 'uniter');
          return regionMatching(model, {
            ...regionShapeOf(config),
            ...{ endToken: config.text.endToken, loss: 'margin' },
          });
        },
      },
      'uniter',
    ),
  },
  ofRegions: ['uniter'],
  says: 'Who finds: blip (embeddings, then reading the closest; the default), vilt (words and patches in one trunk) or uniter (words and regions in one trunk), which read each text about each picture',
});
