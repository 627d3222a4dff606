/** The width and the length of a search for texts. */
export interface BeamOptions {
  /** Texts that are followed at the same time; 1 takes the likeliest word each time. */
  readonly beams: number;
  /** Tokens of the longest text, those that it begins with among them; the end token too, where there is room for one. */
  readonly longest: number;
  /** Tokens before a text may end, those that it begins with among them. */
  readonly shortest?: number;
  /** Ends a text. */
  readonly end: number;
  /**
   * Texts are compared by their mean log-likelihood over these tokens: all of them, as BLIP's code did, or those
   * that are written, as transformers has it since version 4.36.
   */
  readonly length: 'whole' | 'written';
}

/** A text that is being written. */
interface OpenText {
  readonly tokens: readonly number[];
  /** Σ log p of what is written. */
  readonly likelihood: number;
}

/** A text that is written, by its tokens with those that it begins with. */
export interface WrittenText {
  readonly tokens: readonly number[];
  /** Σ log p / length. */
  readonly score: number;
}

/** The search for one text, between two steps. */
export interface BeamSearch {
  /** As many as there are beams. */
  readonly open: readonly OpenText[];
  /** The best that are written, the best first. */
  readonly written: readonly WrittenText[];
  /** No open text can be better than what is written. */
  readonly isOver: boolean;
}

/** The search for a text that begins with some tokens: all beams are alike, so that only the first counts. */
export const beginSearch = (begin: readonly number[], { beams }: BeamOptions): BeamSearch => ({
  open: Array.from({ length: beams }, (_, beam) => ({
    tokens: begin,
    likelihood: beam === 0 ? 0 : -Infinity,
  })),
  written: [],
  isOver: false,
});

interface Continuation extends OpenText {
  readonly parent: number;
  readonly isWritten: boolean;
}

/**
 * One step of beam search, by the rules of transformers' `generate` (early stopping left off): of the 2·beams likeliest continuations those
 * among the first `beams` that end are written, and the best `beams` others go on; the search is over when the best of them,
 * were it to end now, is no better than the worst of as many that are written.
 * @param logProbabilities Of the next word of each open text, [beams, V] in row-major order.
 * @param begun Tokens that the text began with.
 * @returns The search after it, and from which open text each new one goes on.
 */
export function searchStep(
  { open, written, isOver }: BeamSearch,
  logProbabilities: Float32Array,
  begun: number,
  options: BeamOptions,
): { readonly search: BeamSearch; readonly parents: readonly number[] } {
  const { beams, longest, shortest = 0, end, length } = options;
  if (isOver) return { search: { open, written, isOver }, parents: open.map((_, beam) => beam) };
  const tokens = (open[0]?.tokens.length ?? 0) + 1;
  const counted = length === 'whole' ? tokens : tokens - begun;
  const best = likeliest(open, logProbabilities, 2 * beams, tokens - 1 < shortest ? end : -1);
  const continuations = best.map(({ parent, token, likelihood }): Continuation => ({
    parent,
    tokens: [...(open[parent]?.tokens ?? []), token],
    likelihood,
    isWritten: token === end || tokens >= longest,
  }));
  const ended = continuations
    .slice(0, beams)
    .flatMap(({ isWritten, likelihood, ...text }): WrittenText[] =>
      isWritten ? [{ tokens: text.tokens, score: likelihood / counted }] : [],
    );
  const pool = [...written, ...ended].sort((one, other) => other.score - one.score).slice(0, beams);
  const going = continuations.filter(({ isWritten }) => !isWritten).slice(0, beams);
  const [first] = going;
  const worst = pool.length < beams ? -Infinity : (pool.at(-1)?.score ?? -Infinity);
  const next = Array.from(
    { length: beams },
    (_, beam) => going[beam] ?? { ...blocked, tokens: going[0]?.tokens ?? [] },
  );
  return {
    search: {
      open: next.map(({ tokens: own, likelihood }) => ({ tokens: own, likelihood })),
      written: pool,
      isOver: first === undefined || first.likelihood / counted <= worst,
    },
    parents: next.map(({ parent }) => parent),
  };
}

/** Stands where there are fewer continuations than beams: none is ever taken from it. */
const blocked = { parent: 0, likelihood: -Infinity };

interface Candidate {
  readonly parent: number;
  readonly token: number;
  readonly likelihood: number;
}

/** The likeliest continuations, the likeliest first; of equal ones that of the earlier beam, then of the smaller token. */
function likeliest(
  open: readonly OpenText[],
  logProbabilities: Float32Array,
  count: number,
  forbidden: number,
): Candidate[] {
  const words = logProbabilities.length / open.length;
  const found: Candidate[] = [];
  open.forEach(({ likelihood: before }, parent) => {
    if (before === -Infinity) return;
    for (let token = 0; token < words; token++) {
      if (token === forbidden) continue;
      const likelihood = before + (logProbabilities[parent * words + token] ?? -Infinity);
      if (found.length === count && likelihood <= (found[count - 1]?.likelihood ?? -Infinity)) continue;
      let place = found.length;
      while (place > 0 && likelihood > (found[place - 1]?.likelihood ?? Infinity)) place -= 1;
      found.splice(place, 0, { parent, token, likelihood });
      if (found.length > count) found.pop();
    }
  });
  return found;
}

/** The best text of a search that has ended: its words, without the end token and those that it began with. */
export function bestWords({ written, open }: BeamSearch, begun: number, end: number): number[] {
  const tokens = written[0]?.tokens ?? open[0]?.tokens ?? [];
  return tokens.slice(begun, tokens.at(-1) === end ? -1 : undefined);
}
