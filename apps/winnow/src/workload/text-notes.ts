import { type TextCoverage, type Tokenizer, textCoverage } from '@winnow/data';
import type { SplitName } from './workload';

/** A vocabulary that knows less of the tokens of a split knows almost nothing of it. */
const LEAST_KNOWN = 0.5;
/** Texts of which nothing is known all read the same: more of them than this share are too many. */
const MOST_UNKNOWN_TEXTS = 0.1;

export interface TextsToRead {
  readonly tokenizer: Tokenizer;
  /** Longest text in tokens, start and end included. */
  readonly context: number;
  readonly texts: Readonly<Record<SplitName, readonly string[]>>;
}

/** What can be done about texts that a model does not read well: another one may be made, or it is there already. */
export type ReaderKind = 'new' | 'given';

/** What a person should know about how the texts of some splits are read, a line each. */
export function textNotes(
  { tokenizer, context, texts }: TextsToRead,
  splits: readonly SplitName[],
  reader: ReaderKind,
): string[] {
  const found = splits.map((split) => ({ split, ...textCoverage(tokenizer, texts[split], context) }));
  const inSplits = (of: (coverage: TextCoverage) => number): string =>
    found.flatMap((one) => (of(one) === 0 ? [] : [`${of(one)} of ${one.texts} in ${one.split}`])).join(', ');
  const unreadable = found.filter(isUnreadable).map((one) => unknownNote(one, reader));
  const cut = inSplits(({ cutTexts }) => cutTexts);
  const damaged = inSplits(({ damagedTexts }) => damagedTexts);
  return [
    ...unreadable,
    ...(cut === '' ? [] : [cutNote(cut, context, reader)]),
    ...(damaged === ''
      ? []
      : [
          `texts with the sign U+FFFD, which stands for a character that was lost when they were converted: ${damaged}`,
        ]),
  ];
}

const isUnreadable = ({ texts, tokens, unknown, unknownTexts }: TextCoverage): boolean =>
  unknownTexts > MOST_UNKNOWN_TEXTS * texts || unknown > (1 - LEAST_KNOWN) * tokens;

function unknownNote(
  { split, texts, tokens, unknown, unknownTexts }: TextCoverage & { readonly split: SplitName },
  reader: ReaderKind,
): string {
  const share = tokens === 0 ? 100 : (100 * unknown) / tokens;
  const advice = {
    new: 'Texts without spaces between words, or of other words than those for training, need --tokenizer with byte pairs, such as the vocabulary of CLIP',
    given: 'Its words come from other texts: score it on texts like those, or train a model on these',
  };
  return (
    `the vocabulary knows almost nothing of the texts in ${split}: ${share.toFixed(0)} % of their words are unknown, ` +
    `and ${unknownTexts} of ${texts} texts have no known word, so that all of them read the same. ${advice[reader]}`
  );
}

const cutNote = (cut: string, context: number, reader: ReaderKind): string =>
  `texts that are longer than ${context} tokens, and cut: ${cut}${reader === 'new' ? '; --context allows for longer ones' : ''}`;
