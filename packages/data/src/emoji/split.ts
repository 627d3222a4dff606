import { createHash } from 'node:crypto';
import { permutation, randomStream } from '@winnow/core';
import pLimit from 'p-limit';
import { readRegularFile } from '../file/regular-file';
import { grouped } from '../split/grouped';
import type { EmojiRecord } from './records';

/** Fixed for good: results are comparable only on the same split. */
const SPLIT_SEED = 16;
/** Shares of each subcategory's emoji whose Twitter drawing is held out. */
const TEST_SHARE = 0.3;
const VALIDATION_SHARE = 0.2;

/** Files open at a time: processes may have few. */
const DRAWINGS_AT_A_TIME = 64;
const DRAWING = { what: 'a drawing of an emoji', mostBytes: 1024 * 1024 };

/** Which emoji's Twitter drawing serves for what; Google's drawings of all of them serve for training. */
export interface EmojiSplit {
  readonly train: readonly EmojiRecord[];
  readonly validation: readonly EmojiRecord[];
  readonly test: readonly EmojiRecord[];
}

/** The emoji whose Twitter drawing is, byte for byte, also that of another: all families of one size, for example. */
async function sharedDrawings(records: readonly EmojiRecord[]): Promise<Set<EmojiRecord>> {
  const limit = pLimit(DRAWINGS_AT_A_TIME);
  const hashed = await Promise.all(
    records.map(async (record) => {
      const drawing = await limit(() => readRegularFile(record.drawings.twitter, DRAWING));
      return { record, hash: createHash('sha256').update(drawing).digest('hex') };
    }),
  );
  const sameDrawing = [...grouped(hashed, ({ hash }) => hash).values()].filter((group) => group.length > 1);
  return new Set(sameDrawing.flat().map(({ record }) => record));
}

/**
 * Splits emoji by their Twitter drawings, subcategory by subcategory: 30 % test, 20 % validation, the rest training.
 * A subcategory of two or more distinct drawings has at least one in the test. Drawings that several emoji share are
 * for training, so that no drawing of the test or the validation is ever trained on.
 */
export async function splitEmoji(records: readonly EmojiRecord[]): Promise<EmojiSplit> {
  const shared = await sharedDrawings(records);
  const split = {
    train: new Set(shared),
    validation: new Set<EmojiRecord>(),
    test: new Set<EmojiRecord>(),
  };
  const subcategories = grouped(
    records.filter((record) => !shared.has(record)),
    ({ category, subcategory }) => `${category}/${subcategory}`,
  );
  for (const [subcategory, members] of subcategories) {
    const order = permutation(members.length, randomStream(SPLIT_SEED, 'emoji', subcategory));
    const tests = members.length < 2 ? 0 : Math.max(1, Math.round(members.length * TEST_SHARE));
    const validations = Math.round(members.length * VALIDATION_SHARE);
    order.forEach((index, position) => {
      const record = members[index];
      if (record === undefined) return;
      const part =
        position < tests ? split.test : position < tests + validations ? split.validation : split.train;
      part.add(record);
    });
  }
  const inOrder = (part: ReadonlySet<EmojiRecord>) => records.filter((record) => part.has(record));
  return {
    train: inOrder(split.train),
    validation: inOrder(split.validation),
    test: inOrder(split.test),
  };
}
