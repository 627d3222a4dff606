import { grounding } from '@winnow/core';
import { identifyGroundingDataset, namesGroundingData, openGroundingDataset } from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { imagesOf, imagesShape } from './images';
import { mdetrKind } from './mdetr';

/** Finding the object that a text means, or those of each of its phrases, by an MDETR. */
export const groundingKind = mdetrKind({
  name: 'grounding',
  defaultData: 'scenes-expressions',
  fits: namesGroundingData,
  dataShape: imagesShape,
  identify: (data, options) =>
    identifyGroundingDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: (data, reading, options) => openGroundingDataset(data, { ...reading, ...imagesOf(options) }),
  questionsOf: () => undefined,
  taskOf: (model, { text }, { imageSize, channels, phrases }) =>
    grounding(model, { imageSize, channels, phrases, endToken: text.endToken }),
});
