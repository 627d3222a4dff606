import { UserError, captions } from '@winnow/core';
import {
  type Tokenizer,
  identifyImageTextDataset,
  namesImageTextData,
  sceneTuples,
  speakerOf,
} from '@winnow/data';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { blipKind } from './blip';
import { imagesOf, imagesShape } from './images';
import { openPairs } from './retrieval';

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
  taskOf: (model, { imageSize, channels, tokenizer, name }) =>
    captions(model, {
      imageSize,
      channels,
      say: saidBy(tokenizer),
      statementsOf: name.startsWith('scenes-') ? sceneTuples : undefined,
    }),
});

/** How tokens become a text. @throws {UserError} for a tokenizer whose texts cannot be put together. */
export function saidBy(tokenizer: Tokenizer): (tokens: readonly number[]) => string {
  try {
    return speakerOf(tokenizer);
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`--tokenizer: ${error.message}`);
    throw error;
  }
}
