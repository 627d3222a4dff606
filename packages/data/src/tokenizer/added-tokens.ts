/** A token that stands for a text as a whole, before that is cut into pieces. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it is looked for in the normalised text rather than in the text as it came. */
  readonly normalized: boolean;
}

type Part = string | { readonly token: number };

/** Cuts texts at the contents, the longest of those that begin at one place first. */
function cutter(contents: ReadonlyMap<string, number>): (text: string) => readonly Part[] {
  if (contents.size === 0) return (text) => [text];
  const literals = [...contents.keys()]
    .sort((a, b) => b.length - a.length)
    .map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  // A pattern in brackets: `split` keeps what it matched, at the odd places.
  const pattern = new RegExp(`(${literals.join('|')})`, 'u');
  return (text) =>
    text.split(pattern).flatMap((part, index): Part[] => {
      const token = index % 2 === 1 ? contents.get(part) : undefined;
      return token !== undefined ? [{ token }] : part === '' ? [] : [part];
    });
}

/** The first tokens of a text, at least `limit` of them where there are so many. */
export type Encoder = (text: string, limit: number) => readonly number[];

/** Tokens of one piece after the other, until there are enough. */
export function encodedPieces(
  pieces: Iterable<string>,
  encode: (piece: string) => readonly number[],
  limit: number,
): number[] {
  const tokens: number[] = [];
  for (const piece of pieces) {
    if (tokens.length >= limit) break;
    for (const token of encode(piece)) tokens.push(token);
  }
  return tokens;
}

/** The tokens of a text, of which `encode` sees the normalised parts between added tokens. */
export function withAddedTokens(
  added: readonly AddedToken[],
  normalise: (text: string) => string,
  encode: Encoder,
): Encoder {
  const raw = added.filter(({ normalized }) => !normalized);
  const late = added.filter(({ normalized }) => normalized);
  const cutRaw = cutter(new Map(raw.map(({ content, id }) => [content, id])));
  const cutLate = cutter(new Map(late.map(({ content, id }) => [normalise(content), id])));
  return (text, limit) => {
    const tokens: number[] = [];
    for (const raw of cutRaw(text)) {
      for (const part of typeof raw === 'string' ? cutLate(normalise(raw)) : [raw]) {
        if (tokens.length >= limit) return tokens;
        if (typeof part === 'string')
          for (const token of encode(part, limit - tokens.length)) tokens.push(token);
        else tokens.push(part.token);
      }
    }
    return tokens;
  };
}
