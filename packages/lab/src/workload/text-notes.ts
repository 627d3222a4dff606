import { type TextCoverage, type Tokenizer, textCoverage } from '@winnow/data';
import type { SplitName } from './workload';

/** A vocabulary that knows less of the tokens of a split knows almost nothing of it. */
const LEAST_KNOWN = 0.5;
/** Texts of which nothing is known all read the same: more of them than this share are too many. */
const MOST_UNKNOWN_TEXTS = 0.1;

/** Recalls are looked for among the first ten: of so few texts most are there whatever a model answers. */
const FEWEST_RANKED = 20;

const fewNote = (split: SplitName, texts: number): string =>
  `${split} has ${texts} ${texts === 1 ? 'text' : 'texts'}: recalls at 5 and 10 among so few are high whatever a model answers, and meanR with them`;

export interface TextsToRead {
  readonly tokenizer: Tokenizer;
  /** Longest text in tokens, start and end included. */
  readonly context: number;
  readonly texts: Readonly<Record<SplitName, readonly string[]>>;
}

/** The scores of a task: by the ranks of texts among all of a split, or of each text by itself. */
export type TextScoring = 'ranked' | 'alone';

/** The reader of the texts: one that is yet to be made, so that another may be chosen, or one that is there already. */
export type ReaderKind = 'new' | 'given';

/** Texts of a split that are looked at, evenly spread: COCO has half a million, and the rest is much like them. */
const MOST_TEXTS = 20_000;

type SplitCoverage = TextCoverage & {
  /** The texts that the counts are of: `test`, or a sample of it. */
  readonly where: string;
};

/** Notes for a person on how the texts of some splits are read, a line each. */
export function textNotes(
  { tokenizer, context, texts }: TextsToRead,
  splits: readonly SplitName[],
  reader: ReaderKind,
  scoring: TextScoring,
): string[] {
  const found = splits.map((split): SplitCoverage => {
    const all = texts[split];
    const step = Math.ceil(all.length / MOST_TEXTS);
    const seen = step <= 1 ? all : all.filter((_, index) => index % step === 0);
    const where = seen.length === all.length ? split : `a sample of ${split}`;
    return { where, ...textCoverage(tokenizer, seen, context) };
  });
  const inSplits = (of: (coverage: TextCoverage) => number): string =>
    found.flatMap((one) => (of(one) === 0 ? [] : [`${of(one)} of ${one.texts} in ${one.where}`])).join(', ');
  const unreadable = found.filter(isUnreadable);
  const cut = inSplits(({ cutTexts }) => cutTexts);
  const damaged = inSplits(({ damagedTexts }) => damagedTexts);
  const few = splits.filter(
    (split) => scoring === 'ranked' && texts[split].length < FEWEST_RANKED && split !== 'train',
  );
  return [
    ...few.map((split) => fewNote(split, texts[split].length)),
    ...(unreadable.length === 0 ? [] : [unknownNote(unreadable, reader)]),
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

function unknownNote(found: readonly SplitCoverage[], reader: ReaderKind): string {
  const advice = {
    new: 'Texts without spaces between words, or of other words than those for training, need --tokenizer with byte pairs, such as the vocabulary of CLIP',
    given: 'Its words come from other texts: score it on texts like those, or train a model on these',
  };
  const shares = found.map(({ where, texts, tokens, unknown, unknownTexts }) => {
    const share = tokens === 0 ? 100 : (100 * unknown) / tokens;
    return `in ${where} ${share.toFixed(0)} % of the words are unknown, and ${unknownTexts} of ${texts} texts have no known word`;
  });
  return `the vocabulary knows almost nothing of the texts: ${shares.join('; ')}. Texts without a known word all read the same. ${advice[reader]}`;
}

const cutNote = (cut: string, context: number, reader: ReaderKind): string =>
  `texts that are longer than ${context} tokens, and cut: ${cut}${reader === 'new' ? '; --context allows for longer ones' : ''}`;
