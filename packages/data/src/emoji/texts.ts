import { grouped } from '../split/grouped';
import type { EmojiRecord } from './records';

/** Their short names are country codes: 'flag-ad', 'de'. */
const CODED_SUBCATEGORY = 'country-flag';
/** Letters alone: 'mouse2', 'u7121', 'clock130' and '+1' are keys, not texts. */
const WORDS = /^\p{L}+(?:[_-]\p{L}+)*$/u;

/** Lower case, and words apart: 'DOWN-POINTING RED TRIANGLE' is 'down pointing red triangle'. */
const spoken = (name: string): string => name.toLowerCase().replace(/(?<=\S)[_-]+(?=\S)/g, ' ');

/**
 * Gives the names of emoji, without capitals, underscores and hyphens: each its name, and its short name where that is
 * made of words and says something else ('loudly crying face', 'sob'). No two emoji share a text: of several that go by
 * it, the one keeps it for which it is both name and short name, or else the one for which it is the name.
 */
export function emojiTexts(records: readonly EmojiRecord[]): Map<EmojiRecord, readonly string[]> {
  const claims = records.flatMap((record) => {
    const name = spoken(record.name);
    const shortName = spoken(record.shortName);
    if (name === shortName) return [{ record, text: name, strength: 2 }];
    const worded = WORDS.test(record.shortName) && record.subcategory !== CODED_SUBCATEGORY;
    return [
      { record, text: name, strength: 1 },
      ...(worded ? [{ record, text: shortName, strength: 0 }] : []),
    ];
  });
  const granted = [...grouped(claims, ({ text }) => text).values()].flatMap((rivals) =>
    rivals.reduce((best, rival) => (rival.strength > best.strength ? rival : best)),
  );
  const texts = grouped(granted, ({ record }) => record);
  return new Map(records.map((record) => [record, (texts.get(record) ?? []).map(({ text }) => text)]));
}
