import { captions } from '@winnow/core';
import { identifyImageTextDataset, namesImageTextData, sceneTuples } from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { blipKind } from './blip';
import { imagesOf, imagesShape } from './images';
import { openPairs } from './retrieval';
import { captionSaid } from './said';
import { saidBy } from './said-by';

/** Writing captions of pictures, by a BLIP's decoder. */
export const captionsKind = blipKind({
  name: 'captions',
  purpose: 'captions',
  defaultData: 'scenes-captions',
  fits: namesImageTextData,
  dataShape: imagesShape,
  identify: (data, options) =>
    identifyImageTextDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: (choice, reading, options) => openPairs(choice, { ...imagesOf(options), ...reading }),
  said: captionSaid,
  taskOf: (model, { imageSize, channels, tokenizer, name }) =>
    captions(model, {
      imageSize,
      channels,
      say: saidBy(tokenizer),
      statementsOf: name.startsWith('scenes-') ? sceneTuples : undefined,
    }),
});
