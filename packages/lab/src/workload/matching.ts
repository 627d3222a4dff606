import { matching } from '@winnow/core';
import { identifyImageTextDataset, namesImageTextData } from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { blipKind } from './blip';
import { imagesOf, imagesShape } from './images';
import { openPairs } from './retrieval';

/** Finding texts and pictures by embeddings, and by reading the closest texts about the pictures, by a BLIP. */
export const matchingKind = blipKind({
  name: 'matching',
  purpose: 'retrieval',
  defaultData: 'scenes-captions',
  fits: namesImageTextData,
  dataShape: imagesShape,
  identify: (data, options) =>
    identifyImageTextDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: (choice, reading, options) => openPairs(choice, { ...imagesOf(options), ...reading }),
  taskOf: (model, { imageSize, channels }) => matching(model, { imageSize, channels }),
});
