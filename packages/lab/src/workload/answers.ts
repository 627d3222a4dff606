import { answers } from '@winnow/core';
import { identifyAnswerDataset, namesAnswerData, openAnswerDataset } from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { blipKind } from './blip';
import { imagesOf, imagesShape } from './images';
import { answerSaid } from './said';
import { toldReading } from './told';

/** Answering questions about pictures in words, by a BLIP that reads them and writes the answers. */
export const answersKind = blipKind({
  name: 'answers',
  purpose: 'questions',
  defaultData: 'scenes-questions',
  fits: namesAnswerData,
  dataShape: imagesShape,
  identify: (data, options) =>
    identifyAnswerDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: (choice, reading, options) =>
    openAnswerDataset(choice.data, { ...toldReading('answers', choice, reading), ...imagesOf(options) }),
  said: answerSaid,
  taskOf: (model, { imageSize, channels, answers: known, types }) =>
    answers(model, { imageSize, channels, answers: known, types }),
});
