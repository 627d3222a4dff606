import { lowerCased } from './text';

/** The preparation of a text by BERT's tokenizer. */
export interface BertNormalizer {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

const SPACE = /[\t\n\r\p{White_Space}]/gu;
/** Categories that stand for no sign; what separates words is a space by then. */
const OTHER = /[\0\ufffd\p{C}]/gu;
/** The blocks that BERT's code calls Chinese; kana and hangul are none of them. */
const CHINESE =
  /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/gu;

/** The text as the library's `BertNormalizer` has it: clean, Chinese signs apart, without accents, in small letters, in this order. */
export function bertNormalised(
  text: string,
  { cleanText, handleChineseChars, stripAccents, lowercase }: BertNormalizer,
): string {
  const clean = cleanText ? text.replace(SPACE, ' ').replace(OTHER, '') : text;
  const apart = handleChineseChars ? clean.replace(CHINESE, ' $& ') : clean;
  const plain = stripAccents ? apart.normalize('NFD').replace(/\p{Mn}/gu, '') : apart;
  return lowercase ? lowerCased(plain) : plain;
}

/** Words, and every punctuation mark by itself: the library's `BertPreTokenizer`. */
export const bertPieces = (text: string): readonly string[] =>
  text.match(/[\p{P}$+<=>^`|~]|[^\p{White_Space}\p{P}$+<=>^`|~]+/gu) ?? [];

export interface WordPieces {
  readonly find: (token: string) => number | undefined;
  /** Stands before a piece that goes on a word. */
  readonly prefix: string;
  /** The token for a word of which a part is no piece, or that is too long. */
  readonly unknownToken: number;
  /** Characters of the longest word that is looked at. */
  readonly longest: number;
}

/** A word as the longest pieces from its beginning on (Wu et al., 2016; BERT's `WordpieceTokenizer`). */
export function wordPieceEncoder({
  find,
  prefix,
  unknownToken,
  longest,
}: WordPieces): (word: string) => readonly number[] {
  return (word) => {
    const characters = [...word];
    if (characters.length > longest) return [unknownToken];
    const tokens: number[] = [];
    for (let from = 0; from < characters.length;) {
      let to = characters.length;
      let token: number | undefined;
      for (; to > from; to--) {
        token = find((from > 0 ? prefix : '') + characters.slice(from, to).join(''));
        if (token !== undefined) break;
      }
      if (token === undefined) return [unknownToken];
      tokens.push(token);
      from = to;
    }
    return tokens;
  };
}
