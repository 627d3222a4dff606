/** UTF-16 that is not Unicode, half of a character alone, becomes U+FFFD, as it does in UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/**
 * Every character in lower case by itself, as Hugging Face's tokenizers do: Σ is always σ, where JavaScript and Python
 * write ς at the end of a word.
 */
export function lowerCased(text: string): string {
  return text
    .split('Σ')
    .map((part) => part.toLowerCase())
    .join('σ');
}

/** `\s` of Rust and Oniguruma. JavaScript's counts the byte order mark U+FEFF in and the next line U+0085 out. */
const SPACES = /\p{White_Space}+/gu;

export function normalisedForClip(text: string): string {
  return lowerCased(text.normalize('NFC').replace(SPACES, ' '));
}

export function normalisedForWords(text: string): string {
  return lowerCased(text.normalize('NFC'));
}

const CLIP_PIECES = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;
const CLIP_PIECES_AND_ENDS = new RegExp(`<\\|startoftext\\|>|<\\|endoftext\\|>|${CLIP_PIECES.source}`, 'gu');

/** Contractions, runs of letters, single digits and runs of anything else that is not a space. */
export function clipPieces(text: string): readonly string[] {
  return text.match(CLIP_PIECES) ?? [];
}

/** The same, but what is written like a start or end token is never in one run with the signs around it. */
export function clipPiecesAndEnds(text: string): readonly string[] {
  return (text.match(CLIP_PIECES_AND_ENDS) ?? []).flatMap(clipPieces);
}

const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/** Words, and runs of signs between them: Hugging Face's pre-tokenizer 'Whitespace', `\w+|[^\w\s]+`. */
export function words(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}

const SPACE = /\p{White_Space}/u;

/** A text without white space at its ends: `trim` of Rust, which counts other characters than JavaScript's. */
export function withoutSpaces(
  text: string,
  { left, right }: { readonly left: boolean; readonly right: boolean },
): string {
  let [from, to] = [0, text.length];
  while (left && from < to && SPACE.test(text[from] ?? '')) from++;
  while (right && from < to && SPACE.test(text[to - 1] ?? '')) to--;
  return text.slice(from, to);
}
