import { regionQuestions } from '@winnow/core';
import {
  type TokenizedRegionQuestionData,
  identifyQuestionDataset,
  namesQuestionData,
  openRegionQuestionDataset,
} from '@winnow/data';
import { regionShapeOf } from './region-models';
import type { RegionTask } from './region-task';

/** Answering questions about regions of pictures, by logits of all answers. */
export const regionQuestionsTask: RegionTask<TokenizedRegionQuestionData> = {
  name: 'questions',
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  identify: (data) => identifyQuestionDataset(data),
  open: openRegionQuestionDataset,
  headFor: ({ kinds }) => ({
    kind: 'answers',
    answers: kinds.reduce((sum, { answers }) => sum + answers.length, 0),
  }),
  taskOf: (model, config, { kinds }) =>
    regionQuestions(model, {
      ...regionShapeOf(config),
      endToken: config.text.endToken,
      types: kinds.map(({ name }) => name),
      answers: kinds.map(({ answers }) => answers.length),
    }),
};
