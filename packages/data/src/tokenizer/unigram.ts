/** A piece of a text and its logarithmic probability. */
export type ScoredPiece = readonly [piece: string, score: number];

export interface Unigram {
  /** Pieces by their index. */
  readonly pieces: readonly ScoredPiece[];
  /** The index of what stands for a character that is in no piece; without it such characters are left out. */
  readonly unknownToken: number | undefined;
  /** Whether such a character becomes the pieces of its bytes, `<0xE2>` and the like, where all of them are there. */
  readonly byteFallback: boolean;
}

/** The logarithm by which an unknown character is less likely than the least likely piece. */
const UNKNOWN_PENALTY = 10;
/** No context holds the tokens of a longer text: what comes behind is cut off before anything is looked for. */
const LONGEST_TEXT = 2 ** 17;
const TEXTS_REMEMBERED = 65_536;
const LONGEST_REMEMBERED = 64;

/** Where pieces lead to: a node and a sign (UTF-16) to the next node, and the piece that ends in a node. */
interface Trie {
  readonly next: ReadonlyMap<number, number>;
  readonly ends: readonly (number | undefined)[];
}

const SIGNS = 2 ** 16;

function trieOf(pieces: readonly ScoredPiece[]): Trie {
  const next = new Map<number, number>();
  const ends: (number | undefined)[] = [undefined];
  for (const [index, [piece]] of pieces.entries()) {
    let node = 0;
    for (let at = 0; at < piece.length; at++) {
      const step = node * SIGNS + piece.charCodeAt(at);
      let found = next.get(step);
      if (found === undefined) {
        found = ends.push(undefined) - 1;
        next.set(step, found);
      }
      node = found;
    }
    if (node !== 0) ends[node] = index;
  }
  return { next, ends };
}

/** A part of a text and its token; undefined where no piece is. */
interface Segment {
  readonly from: number;
  readonly token: number | undefined;
}

/**
 * The most likely way to put a text together from pieces (Kudo, 2018, Subword Regularization, Section 3.2, by Viterbi's
 * algorithm): one pass over the text, and of equally likely ways the one whose last piece begins first. A character that is no piece by itself
 * may be unknown, at ten less than the lowest score, as in SentencePiece and Hugging Face's tokenizers.
 */
function segmenter(pieces: readonly ScoredPiece[]): (text: string) => Segment[] {
  const { next, ends } = trieOf(pieces);
  const unknownScore =
    pieces.reduce((least, [, score]) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  return (text) => {
    const scores = new Float64Array(text.length + 1).fill(-Infinity);
    const starts = new Int32Array(text.length + 1).fill(-1);
    const tokens = new Int32Array(text.length + 1).fill(-1);
    scores[0] = 0;
    const offer = (from: number, to: number, score: number, token: number): void => {
      if (starts[to] !== -1 && score <= (scores[to] ?? 0)) return;
      scores[to] = score;
      starts[to] = from;
      tokens[to] = token;
    };
    for (let from = 0; from < text.length;) {
      const here = scores[from] ?? 0;
      const length = (text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1;
      let isKnown = false;
      let node: number | undefined = 0;
      for (let at = from; at < text.length; at++) {
        node = next.get(node * SIGNS + text.charCodeAt(at));
        if (node === undefined) break;
        const index = ends[node];
        if (index === undefined) continue;
        offer(from, at + 1, here + (pieces[index]?.[1] ?? 0), index);
        isKnown ||= at + 1 === from + length;
      }
      if (!isKnown) offer(from, from + length, here + unknownScore, -1);
      from += length;
    }
    const segments: Segment[] = [];
    for (let to = text.length; to > 0; to = starts[to] ?? 0) {
      const token = tokens[to] ?? -1;
      segments.push({ from: starts[to] ?? 0, token: token === -1 ? undefined : token });
    }
    return segments.reverse();
  };
}

/**
 * The tokens of a piece of text by a unigram model. Unknown characters beside each other are one token, or the bytes of all
 * of them, as in Hugging Face's tokenizers.
 */
export function unigramEncoder({
  pieces,
  unknownToken,
  byteFallback,
}: Unigram): (text: string) => readonly number[] {
  const segmentsOf = segmenter(pieces);
  const indices = new Map(pieces.map(([piece], index) => [piece, index]));
  const bytes = Array.from({ length: byteFallback ? 256 : 0 }, (_, byte) =>
    indices.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  const utf8 = new TextEncoder();
  const unknown = (text: string): readonly number[] => {
    const known = indices.get(text);
    if (known !== undefined) return [known];
    const single = unknownToken === undefined ? [] : [unknownToken];
    if (!byteFallback) return single;
    const found = Array.from(utf8.encode(text), (byte) => bytes[byte]).filter((token) => token !== undefined);
    return found.length === utf8.encode(text).length ? found : single;
  };
  const remembered = new Map<string, readonly number[]>();
  return (text) => {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const seen = text.slice(0, LONGEST_TEXT);
    const tokens: number[] = [];
    let unknownFrom: number | undefined;
    const endUnknown = (to: number): void => {
      if (unknownFrom === undefined) return;
      for (const token of unknown(seen.slice(unknownFrom, to))) tokens.push(token);
      unknownFrom = undefined;
    };
    for (const { from, token } of segmentsOf(seen)) {
      // The piece for what is unknown may itself stand in a text.
      if (token === undefined || token === unknownToken) unknownFrom ??= from;
      else {
        endUnknown(from);
        tokens.push(token);
      }
    }
    endUnknown(seen.length);
    if (text.length <= LONGEST_REMEMBERED && remembered.size < TEXTS_REMEMBERED) remembered.set(text, tokens);
    return tokens;
  };
}
