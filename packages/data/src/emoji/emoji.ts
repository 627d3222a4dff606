import {
  type FoundImageClassificationData,
  type LabelledSplits,
  classificationData,
} from '../labelled/classification';
import type { LabelledPicture } from '../labelled/labelled-pictures';
import type { ImageOptions } from '../picture/image-options';
import { type EmojiRecord, type EmojiVendor, drawingContents, emojiRecords } from './records';
import { splitEmoji } from './split';

/** The question about an emoji: which of 9 categories it belongs to, or which of 98 subcategories. */
export type EmojiTask = 'category' | 'subcategory';

/** Five swatches of skin: not emoji in their own right. */
export const LEFT_OUT_CATEGORY = 'Component';

/**
 * The embedded real data: Google's and Twitter's drawings of emoji. Trains on all of Google's drawings and about half of
 * Twitter's; validates and tests on Twitter's drawings of other emoji. Both tasks and all runs share one split.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function labelledEmoji(task: EmojiTask): Promise<LabelledSplits> {
  const records = (await emojiRecords()).filter(({ category }) => category !== LEFT_OUT_CATEGORY);
  const split = await splitEmoji(records);
  const classes = [...new Set(records.map((record) => record[task]))].sort();
  const labels = new Map(classes.map((name, label) => [name, label]));
  const drawnBy = (vendor: EmojiVendor, emojis: readonly EmojiRecord[]): LabelledPicture[] =>
    emojis.map((record) => ({ path: record.drawings[vendor], label: labels.get(record[task]) ?? 0 }));
  return {
    name: `emoji-${task}`,
    notes: [],
    classes,
    splits: {
      train: [...drawnBy('google', records), ...drawnBy('twitter', split.train)],
      validation: drawnBy('twitter', split.validation),
      test: drawnBy('twitter', split.test),
    },
    contents: drawingContents,
  };
}

/**
 * {@link labelledEmoji} as data for training and evaluation. Training pictures are varied by the preset `symbols` unless
 * told otherwise.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 * @throws {RangeError} on options outside their range.
 */
export async function emoji(task: EmojiTask, options: ImageOptions): Promise<FoundImageClassificationData> {
  return classificationData(await labelledEmoji(task), options, 'symbols');
}
