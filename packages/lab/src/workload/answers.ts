import { answers } from '@winnow/core';
import { identifyQuestionDataset, namesQuestionData, openAnswerDataset } from '@winnow/data';
import { blipKind } from './blip';
import { toldReading } from './told';

/** Answering questions about pictures in words, by a BLIP that reads them and writes the answers. */
export const answersKind = blipKind({
  name: 'answers',
  purpose: 'questions',
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  dataShape: {},
  identify: identifyQuestionDataset,
  open: (choice, reading) => openAnswerDataset(choice.data, toldReading('answers', choice, reading)),
  taskOf: (model, { imageSize, channels, answers: known, types }) =>
    answers(model, { imageSize, channels, answers: known, types }),
});
