export interface BytePairs {
  /** Index of every token. A byte is written as a printable character, the last byte of a piece with `</w>` behind it. */
  readonly find: (token: string) => number | undefined;
  /** Two tokens and what they are joined to, the most urgent first. */
  readonly merges: readonly { readonly left: number; readonly right: number; readonly token: number }[];
  /** What a byte that is no token becomes; without it such a byte is left out. */
  readonly unknownToken: number | undefined;
}

export const END_OF_WORD = '</w>';

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

const PRINTABLE_BYTES = [...range(33, 127), ...range(161, 173), ...range(174, 256)];
const OTHER_BYTES = range(0, 256).filter((byte) => !PRINTABLE_BYTES.includes(byte));

/** Bytes in the order of CLIP's and GPT-2's vocabularies, each with the character that it is written as. */
export const byteCharacters: ReadonlyMap<number, string> = new Map([
  ...PRINTABLE_BYTES.map((byte) => [byte, String.fromCodePoint(byte)] as const),
  ...OTHER_BYTES.map((byte, index) => [byte, String.fromCodePoint(256 + index)] as const),
]);

interface Merge {
  readonly rank: number;
  readonly token: number;
}

type Merges = ReadonlyMap<number, ReadonlyMap<number, Merge>>;

/** Merges by left and right token. */
function mergeTable({ merges }: BytePairs): Merges {
  const table = new Map<number, Map<number, Merge>>();
  for (const [rank, { left, right, token }] of merges.entries()) {
    const row = table.get(left) ?? new Map<number, Merge>();
    table.set(left, row.set(right, { rank, token }));
  }
  return table;
}

/** Joins the most urgent pair wherever it stands, from the left, until no pair is left to join. */
function merged(bytes: readonly number[], merges: Merges): readonly number[] {
  const mergeOf = (left: number | undefined, right: number | undefined): Merge | undefined =>
    left === undefined || right === undefined ? undefined : merges.get(left)?.get(right);
  let tokens = bytes;
  let pairs = tokens.map((token, index) => mergeOf(token, tokens[index + 1]));
  for (;;) {
    let rank = Infinity;
    for (const merge of pairs) if (merge !== undefined && merge.rank < rank) rank = merge.rank;
    if (rank === Infinity) return tokens;
    const joined: number[] = [];
    const next: (Merge | undefined)[] = [];
    const changed: number[] = [];
    let taken = false;
    tokens.forEach((token, index) => {
      const merge: Merge | undefined = pairs[index];
      if (taken) {
        taken = false;
      } else if (merge?.rank === rank) {
        taken = true;
        changed.push(joined.length);
        joined.push(merge.token);
        next.push(undefined);
      } else {
        joined.push(token);
        next.push(merge);
      }
    });
    for (const index of changed) {
      if (index > 0) next[index - 1] = mergeOf(joined[index - 1], joined[index]);
      next[index] = mergeOf(joined[index], joined[index + 1]);
    }
    tokens = joined;
    pairs = next;
  }
}

const PIECES_REMEMBERED = 65_536;
const LONGEST_REMEMBERED = 64;

/**
 * The byte-pair encoding of one piece of text (Sennrich et al. 2016, over bytes as in GPT-2, with an end of word as in
 * CLIP).
 */
export function bytePairEncoder(pairs: BytePairs): (piece: string) => readonly number[] {
  const merges = mergeTable(pairs);
  const tokenOf = (text: string) => pairs.find(text) ?? pairs.unknownToken;
  const inner = range(0, 256).map((byte) => tokenOf(byteCharacters.get(byte) ?? ''));
  const last = range(0, 256).map((byte) => tokenOf(`${byteCharacters.get(byte) ?? ''}${END_OF_WORD}`));
  const utf8 = new TextEncoder();
  const remembered = new Map<string, readonly number[]>();
  return (piece) => {
    const known = remembered.get(piece);
    if (known !== undefined) return known;
    const bytes = utf8.encode(piece);
    const start = Array.from(bytes, (byte, index) => (index === bytes.length - 1 ? last : inner)[byte]);
    const tokens = merged(
      start.filter((token) => token !== undefined),
      merges,
    );
    if (piece.length <= LONGEST_REMEMBERED && remembered.size < PIECES_REMEMBERED) {
      remembered.set(piece, tokens);
    }
    return tokens;
  };
}
