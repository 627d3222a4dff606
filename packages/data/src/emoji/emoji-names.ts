import { type ImageTextOptions, type TokenizedImageTextData, imageTextData } from '../pairs/image-text-data';
import type { FoundPairs } from '../pairs/splits';
import { LEFT_OUT_CATEGORY } from './emoji';
import { drawingContents, emojiRecords } from './records';
import { splitEmoji } from './split';
import { emojiTexts } from './texts';

/**
 * The embedded drawings with what the emoji are called. The split is that of `emoji`: trains on all of Google's drawings
 * and about half of Twitter's; validates and tests on Twitter's drawings of other emoji. All names are trained on, with
 * Google's drawings; what is new in the test are the drawings.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function emojiPairs(): Promise<FoundPairs> {
  const records = (await emojiRecords()).filter(({ category }) => category !== LEFT_OUT_CATEGORY);
  const split = await splitEmoji(records);
  const inTraining = new Set(split.train);
  const texts = emojiTexts(records);
  const textsOf = (record: (typeof records)[number]) => texts.get(record) ?? [];
  const heldOut = (part: typeof split.test) =>
    part.map((record) => ({ pictures: [record.drawings.twitter], texts: textsOf(record) }));
  return {
    name: 'emoji-names',
    notes: [],
    splits: {
      train: records.map((record) => ({
        pictures: [record.drawings.google, ...(inTraining.has(record) ? [record.drawings.twitter] : [])],
        texts: textsOf(record),
      })),
      validation: heldOut(split.validation),
      test: heldOut(split.test),
    },
    contents: drawingContents,
  };
}

/**
 * {@link emojiPairs} as data for training and evaluation. Training pictures are varied by the preset `symbols` unless told
 * otherwise.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 * @throws {RangeError} on options outside their range.
 */
export async function emojiNames(options: ImageTextOptions): Promise<TokenizedImageTextData> {
  return imageTextData(await emojiPairs(), options, 'symbols');
}
