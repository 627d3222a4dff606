import { asDense, questions, viltFamily } from '@winnow/core';
import { identifyQuestionDataset, namesQuestionData, openQuestionDataset } from '@winnow/data';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { mdetrKind } from './mdetr';
import { oneStreamQuestionsKind } from './one-stream';
import type { WorkloadKind } from './workload';

/** Answering questions about pictures, by an MDETR with queries of their own for it. */
const mdetrQuestionsKind = mdetrKind({
  name: 'questions',
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  dataShape: {},
  identify: identifyQuestionDataset,
  open: openQuestionDataset,
  questionsOf: ({ kinds }) => ({ answers: kinds.map(({ answers }) => answers.length) }),
  taskOf: (model, { text }, { imageSize, channels, kinds }) =>
    questions(model, { imageSize, channels, endToken: text.endToken, types: kinds.map(({ name }) => name) }),
});

const streamsShape = {
  oneStream: z
    .boolean()
    .default(false)
    .describe('Words and patches go through one trunk (ViLT), in place of two towers under a fusion'),
};
const streamsOptions = z.object(streamsShape);

const isOneStream = (options: unknown): boolean => streamsOptions.parse(options).oneStream;
const isVilt = (opened: OpenedModel): boolean => asDense(opened).kind === viltFamily.kind;

/** Answering questions about pictures: by an MDETR, or by a ViLT. */
export const questionsKind: WorkloadKind = {
  ...mdetrQuestionsKind,
  modelKinds: [...mdetrQuestionsKind.modelKinds, ...oneStreamQuestionsKind.modelKinds],
  modelShape: { ...mdetrQuestionsKind.modelShape, ...streamsShape },
  givenShape: { ...mdetrQuestionsKind.givenShape, ...streamsShape },
  create: (choice, options) =>
    (isOneStream(options) ? oneStreamQuestionsKind : mdetrQuestionsKind).create(choice, options),
  adapt: (choice, opened, options, head) =>
    (isVilt(opened) || isOneStream(options) ? oneStreamQuestionsKind : mdetrQuestionsKind).adapt(
      choice,
      opened,
      options,
      head,
    ),
  open: (choice, opened, options) =>
    (isVilt(opened) ? oneStreamQuestionsKind : mdetrQuestionsKind).open(choice, opened, options),
};
