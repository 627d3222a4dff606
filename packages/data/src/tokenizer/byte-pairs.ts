import { smallestFirst } from './smallest-first';

export interface BytePairs {
  /** Index of every token. A byte is written as a printable character, the last byte of a piece with `</w>` behind it. */
  readonly find: (token: string) => number | undefined;
  /** Two tokens and what they are joined to, the most urgent first. */
  readonly merges: readonly { readonly left: number; readonly right: number; readonly token: number }[];
  /** The token for a byte that is no token; without it such a byte is left out. */
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

/** In the place of a token that has become a part of the one before. */
const JOINED = -1;

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

/**
 * Joins the most urgent pair wherever it stands, from the left, until no pair is left to join: n bytes take n · log n
 * steps, for texts may hold anything.
 */
function merged(bytes: readonly number[], merges: Merges): readonly number[] {
  const length = bytes.length;
  const tokens = Int32Array.from(bytes);
  const next = Int32Array.from(bytes, (_, place) => place + 1);
  const previous = Int32Array.from(bytes, (_, place) => place - 1);
  const mergeAt = (place: number): Merge | undefined => {
    const [left = JOINED, right = JOINED] = [tokens[place], tokens[next[place] ?? length]];
    return left === JOINED || right === JOINED ? undefined : merges.get(left)?.get(right);
  };
  // Pairs by rank, then by place, in one number; those that are gone meanwhile are passed over.
  const waiting = smallestFirst();
  const enqueue = (place: number): void => {
    const merge = mergeAt(place);
    if (merge !== undefined) waiting.add(merge.rank * length + place);
  };
  for (let place = 0; place < length; place++) enqueue(place);
  for (let first = waiting.first(); first !== undefined; first = waiting.first()) {
    const rank = Math.floor(first / length);
    const changed: number[] = [];
    for (
      let key = waiting.first();
      key !== undefined && Math.floor(key / length) === rank;
      key = waiting.first()
    ) {
      waiting.remove();
      const place = key % length;
      const merge = mergeAt(place);
      if (merge?.rank !== rank) continue;
      const joined = next[place] ?? length;
      const after = next[joined] ?? length;
      tokens[place] = merge.token;
      tokens[joined] = JOINED;
      next[place] = after;
      if (after < length) previous[after] = place;
      changed.push(place);
    }
    for (const place of changed) {
      enqueue(place);
      if (place > 0) enqueue(previous[place] ?? 0);
    }
  }
  return [...tokens].filter((token) => token !== JOINED);
}

const PIECES_REMEMBERED = 65_536;
const LONGEST_REMEMBERED = 64;
/** No context holds the tokens of a longer piece: what comes behind is cut off before anything is joined. */
const LONGEST_PIECE = 2 ** 17;

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
    const bytes = utf8.encode(piece.length > LONGEST_PIECE ? piece.slice(0, LONGEST_PIECE) : piece);
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
