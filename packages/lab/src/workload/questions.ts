import { UserError, questions } from '@winnow/core';
import { identifyQuestionDataset, namesQuestionData, openQuestionDataset } from '@winnow/data';
import { z } from 'zod';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { byFamily } from './by-family';
import { imagesOf, imagesShape } from './images';
import { mdetrKind } from './mdetr';
import { viltKind } from './one-stream';
import { regionQuestionsTask } from './region-questions';
import { regionKind } from './region-task';
import { toldReading } from './told';
import type { WorkloadKind } from './workload';

const common = {
  name: 'questions',
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  dataShape: imagesShape,
  identify: (data: string, options: unknown) =>
    identifyQuestionDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
} as const;

/** Answering questions about pictures, by an MDETR with queries of their own for it. */
const mdetrQuestionsKind = mdetrKind({
  ...common,
  open: (data, reading, options) => openQuestionDataset(data, { ...reading, ...imagesOf(options) }),
  questionsOf: ({ kinds }) => ({ answers: kinds.map(({ answers }) => answers.length) }),
  taskOf: (model, { text }, { imageSize, channels, kinds }) =>
    questions(model, { imageSize, channels, endToken: text.endToken, types: kinds.map(({ name }) => name) }),
});

const viltQuestionsKind = viltKind({
  ...common,
  open: (choice, reading, options) =>
    openQuestionDataset(choice.data, {
      ...toldReading('questions', choice, reading),
      ...imagesOf(options),
    }),
  headFor: ({ kinds }) => ({
    kind: 'answers',
    answers: kinds.reduce((sum, { answers }) => sum + answers.length, 0),
  }),
  taskOf: (model, { text }, { imageSize, channels, kinds }) =>
    questions(model, {
      ...{ imageSize, channels, endToken: text.endToken },
      types: kinds.map(({ name }) => name),
      answers: kinds.map(({ answers }) => answers.length),
    }),
});

/** Answering questions about pictures: by an MDETR, a ViLT, a UNITER or an LXMERT. */
const byAnyone = byFamily(
  {
    names: ['mdetr', 'vilt', 'uniter', 'lxmert'],
    members: {
      mdetr: mdetrQuestionsKind,
      vilt: viltQuestionsKind,
      uniter: regionKind(regionQuestionsTask, 'uniter'),
      lxmert: regionKind(regionQuestionsTask, 'lxmert'),
    },
    ofRegions: ['uniter', 'lxmert'],
    says: 'Who answers: mdetr (two towers under a fusion; the default), vilt (words and patches in one trunk), uniter (words and regions in one trunk) or lxmert (a stream each)',
  },
  (options, family) => {
    const { oneStream } = oneStreamOptions.parse(options);
    if (oneStream && family !== undefined && family !== 'vilt')
      throw new UserError(
        `--one-stream is --family vilt, and --family ${family} is another: give one of them`,
      );
    return oneStream ? 'vilt' : family;
  },
);

const oneStreamShape = { oneStream: z.boolean().default(false).describe('The same as --family vilt') };
const oneStreamOptions = z.object(oneStreamShape);

export const questionsKind: WorkloadKind = {
  ...byAnyone,
  modelShape: { ...byAnyone.modelShape, ...oneStreamShape },
  givenShape: { ...byAnyone.givenShape, ...oneStreamShape },
};
