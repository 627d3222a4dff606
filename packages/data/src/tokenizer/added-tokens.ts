import { withoutSpaces } from './text';

/** A token that stands for a text as a whole, before that is cut into pieces. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it is looked for in the normalised text rather than in the text as it came. */
  readonly normalized: boolean;
  /** Whether the spaces before and behind it are its own. Default: not. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

type Part = string | { readonly token: number };

/** Cuts texts at the contents, the longest of those that begin at one place first. */
function cutter(added: readonly AddedToken[]): (text: string) => readonly Part[] {
  if (added.length === 0) return (text) => [text];
  const contents = new Map(added.map((token) => [token.content, token]));
  const literals = [...contents.keys()]
    .sort((a, b) => b.length - a.length)
    .map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  // A pattern in brackets: `split` keeps what it matched, at the odd places.
  const pattern = new RegExp(`(${literals.join('|')})`, 'u');
  return (text) => {
    const parts = text.split(pattern);
    return parts.flatMap((part, index): Part[] => {
      const found = index % 2 === 1 ? contents.get(part) : undefined;
      if (found !== undefined) return [{ token: found.id }];
      const between = withoutSpaces(part, {
        left: contents.get(parts[index - 1] ?? '')?.rstrip === true,
        right: contents.get(parts[index + 1] ?? '')?.lstrip === true,
      });
      return between === '' ? [] : [between];
    });
  };
}

/**
 * The first tokens of a part of a text, at least `limit` of them where there are so many; `isFirst` where nothing stands before it.
 */
export type Encoder = (text: string, limit: number, isFirst: boolean) => readonly number[];

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
  const cutRaw = cutter(raw);
  const cutLate = cutter(late.map((token) => ({ ...token, content: normalise(token.content) })));
  return (text, limit) => {
    const tokens: number[] = [];
    let isFirst = true;
    for (const raw of cutRaw(text)) {
      for (const part of typeof raw === 'string' ? cutLate(normalise(raw)) : [raw]) {
        if (tokens.length >= limit) return tokens;
        if (typeof part === 'string')
          for (const token of encode(part, limit - tokens.length, isFirst)) tokens.push(token);
        else tokens.push(part.token);
        isFirst = false;
      }
    }
    return tokens;
  };
}
