import { questions } from '@winnow/core';
import { identifyQuestionDataset, namesQuestionData, openQuestionDataset } from '@winnow/data';
import { mdetrKind } from './mdetr';

/** Answering questions about pictures, by an MDETR with queries of their own for it. */
export const questionsKind = mdetrKind({
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
