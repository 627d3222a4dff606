import type { Tokenizer } from './tokenizer';

/** Characters of a text, half-open, in UTF-16. */
export interface CharacterSpan {
  readonly start: number;
  readonly end: number;
}

/** The characters inward that a span is looked for whose boundary is a space, as in MDETR's code. */
const INWARD = 2;

const isSpace = (text: string, at: number): boolean => /\s/u.test(text[at] ?? '');
const isInWord = (text: string, at: number): boolean => /^[\p{L}\p{M}]{2}$/u.test(text.slice(at - 1, at + 1));

/** The span without one or two spaces at each of its boundaries; nothing where there are more, or nothing is left. */
function withoutSpaces(text: string, { start, end }: CharacterSpan): CharacterSpan | undefined {
  let [from, to] = [start, end];
  while (from < to && from - start < INWARD && isSpace(text, from)) from++;
  while (to > from && end - to < INWARD && isSpace(text, to - 1)) to--;
  return from >= to || isSpace(text, from) || isSpace(text, to - 1) ? undefined : { start: from, end: to };
}

/**
 * Finds the tokens of a text that a span of its characters covers, by their places in the encoded text. A word of which a part is in
 * the span counts with all its tokens. A boundary that is a space is moved inward by up to two characters.
 * @param context Tokens of the longest text; places beyond it are left out.
 * @returns nothing for a span that is empty, or lies in what was cut off.
 */
export function spanTokens(
  tokenizer: Tokenizer,
  text: string,
  span: CharacterSpan,
  context: number,
): number[] {
  const inner = withoutSpaces(text, span);
  if (inner === undefined) return [];
  let { start, end } = inner;
  while (start > 0 && isInWord(text, start)) start--;
  while (end < text.length && isInWord(text, end)) end++;
  // The end token stands behind every prefix, the start token, where there is one, before it.
  const before = tokenizer.startToken === undefined ? 0 : 1;
  const tokensUpTo = (character: number): number =>
    tokenizer.encode(text.slice(0, character), context + 1).length - 1 - before;
  const [first, last] = [before + tokensUpTo(start), before + tokensUpTo(end)];
  return Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset).filter(
    (place) => place < context - 1,
  );
}
