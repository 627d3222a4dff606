import { statements } from '@winnow/core';
import { identifyStatementDataset, namesStatementData, openStatementDataset } from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { blipKind } from './blip';
import { imagesOf, imagesShape } from './images';
import { toldReading } from './told';

/** Judging statements about two pictures, by a BLIP whose text stack looks at both. */
export const statementsKind = blipKind({
  name: 'statements',
  purpose: 'statements',
  defaultData: 'scenes-statements',
  fits: namesStatementData,
  dataShape: imagesShape,
  identify: (data, options) =>
    identifyStatementDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: (choice, reading, options) =>
    openStatementDataset(choice.data, {
      ...toldReading('statements', choice, reading),
      ...imagesOf(options),
    }),
  taskOf: (model, { imageSize, channels, endToken }) => statements(model, { imageSize, channels, endToken }),
});
