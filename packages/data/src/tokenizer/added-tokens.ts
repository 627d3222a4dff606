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

/** The tokens of a text, of which `encode` sees the normalised parts between added tokens. */
export function withAddedTokens(
  added: readonly AddedToken[],
  normalise: (text: string) => string,
  encode: (text: string) => readonly number[],
): (text: string) => readonly number[] {
  const raw = added.filter(({ normalized }) => !normalized);
  const late = added.filter(({ normalized }) => normalized);
  const cutRaw = cutter(new Map(raw.map(({ content, id }) => [content, id])));
  const cutLate = cutter(new Map(late.map(({ content, id }) => [normalise(content), id])));
  const tokensOf = (part: Part) => (typeof part === 'string' ? encode(part) : [part.token]);
  return (text) =>
    cutRaw(text).flatMap((part) =>
      typeof part === 'string' ? cutLate(normalise(part)).flatMap(tokensOf) : [part.token],
    );
}
