import type { PairBatch } from '../data/dataset';
import { CUTOFFS, rankOfOwn, recallScores } from './retrieval-scorer';
import type { Scorer, Scores } from './task';

/** One side of a split, in host memory: each with its embedding, and what it takes to read both sides together. */
export interface Compared {
  /** Embeddings of pictures, and their states, one of each. */
  readonly images: readonly Float32Array[];
  readonly seen: readonly Float32Array[];
  /** Embeddings of texts, and their tokens, one of each. */
  readonly texts: readonly Float32Array[];
  readonly tokens: readonly Int32Array[];
  /** Logits of matching for texts about pictures, pair by pair. */
  match(seen: readonly Float32Array[], tokens: readonly Int32Array[]): Promise<Float32Array>;
}

interface Item<Read> {
  readonly embedding: Float32Array;
  readonly read: Read;
  readonly group: number;
}

/** Score of what is not among the candidates, as in BLIP. */
const NOT_READ = -100;

/**
 * Recalls in both directions, where the `candidates` closest of each query are ranked by their similarity plus the logit of matching, and
 * the others come behind (Li et al., 2022, BLIP: the code's evaluation of retrieval). A tie counts against the model.
 */
export function matchingScorer(candidates: number): Scorer<Compared, PairBatch> {
  const images: Item<Float32Array>[] = [];
  const texts: Item<Int32Array>[] = [];
  let match: Compared['match'] | undefined;
  return {
    add: (answer, { imageGroups, textGroups }) => {
      match = answer.match;
      imageGroups.forEach((group, row) => {
        const [embedding, read] = [answer.images[row], answer.seen[row]];
        if (embedding !== undefined && read !== undefined) images.push({ embedding, read, group });
      });
      textGroups.forEach((group, row) => {
        const [embedding, read] = [answer.texts[row], answer.tokens[row]];
        if (embedding !== undefined && read !== undefined) texts.push({ embedding, read, group });
      });
    },
    scores: async (): Promise<Scores> => {
      const matched = match;
      if (matched === undefined) throw new RangeError('expected pictures and texts, got none');
      const ofTexts = await recalls(images, texts, candidates, (image, some) =>
        matched(
          some.map(() => image),
          some,
        ),
      );
      const ofImages = await recalls(texts, images, candidates, (text, some) =>
        matched(
          some,
          some.map(() => text),
        ),
      );
      return recallScores(ofTexts, ofImages);
    },
  };
}

/** Percent of the queries that have one of their group among the best 1, 5 and 10. */
async function recalls<Query, Other>(
  queries: readonly Item<Query>[],
  others: readonly Item<Other>[],
  candidates: number,
  match: (query: Query, others: readonly Other[]) => Promise<Float32Array>,
): Promise<number[]> {
  const groups = others.map(({ group }) => group);
  const hits = CUTOFFS.map(() => 0);
  for (const { embedding, read, group } of queries) {
    const scores = Float32Array.from(others, (other) => dot(embedding, other.embedding));
    const closest = [...scores.keys()]
      .sort((one, other) => (scores[other] ?? NaN) - (scores[one] ?? NaN))
      .slice(0, candidates);
    const logits = await match(
      read,
      closest.flatMap((place) => (others[place] === undefined ? [] : [others[place].read])),
    );
    const ranked = new Float32Array(scores.length).fill(NOT_READ);
    closest.forEach((place, rank) => {
      ranked[place] = (scores[place] ?? NaN) + (logits[rank] ?? NaN);
    });
    const place = rankOfOwn(ranked, groups, group);
    CUTOFFS.forEach((cutoff, index) => {
      hits[index] = (hits[index] ?? 0) + (place <= cutoff ? 1 : 0);
    });
  }
  return hits.map((count) => (100 * count) / queries.length);
}

const dot = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] ?? NaN), 0);
