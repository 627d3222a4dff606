import type { Grouped } from './hard-negatives';
import { CUTOFFS, rankOfOwn, recallScores } from './retrieval-scorer';
import type { Scorer, Scores } from './task';

/** The pictures and texts of a batch, in host memory, and what it takes to read both together. */
export interface Together<Seen> {
  readonly seen: readonly Seen[];
  readonly tokens: readonly Int32Array[];
  /** Scores of texts about one picture. */
  score(seen: Seen, tokens: readonly Int32Array[]): Promise<Float32Array>;
}

/** Texts that are read at once. */
const TOGETHER = 64;

/**
 * Recalls in both directions, where each text is read about each picture: among the first `pictures` of a split, and their texts. A tie
 * counts against the model.
 */
export function jointScorer<Seen>(pictures: number): Scorer<Together<Seen>, Grouped> {
  const images = new Map<number, Seen>();
  const texts: { readonly tokens: Int32Array; readonly group: number }[] = [];
  let score: Together<Seen>['score'] | undefined;
  return {
    add: (answer, { imageGroups, textGroups }) => {
      score = answer.score;
      imageGroups.forEach((group, row) => {
        const seen = answer.seen[row];
        if (seen !== undefined && images.size < pictures && !images.has(group)) images.set(group, seen);
      });
      textGroups.forEach((group, row) => {
        const tokens = answer.tokens[row];
        if (tokens !== undefined && images.has(group)) texts.push({ tokens, group });
      });
    },
    scores: async (): Promise<Scores> => {
      if (score === undefined) throw new RangeError('expected pictures and texts, got none');
      const table: Float32Array[] = [];
      for (const seen of images.values()) {
        const row = new Float32Array(texts.length);
        for (let start = 0; start < texts.length; start += TOGETHER) {
          const some = texts.slice(start, start + TOGETHER).map(({ tokens }) => tokens);
          row.set(await score(seen, some), start);
        }
        table.push(row);
      }
      const [ofImages, ofTexts] = [[...images.keys()], texts.map(({ group }) => group)];
      const columns = texts.map((_, text) => Float32Array.from(table, (row) => row[text] ?? NaN));
      return recallScores(recalls(table, ofTexts, ofImages), recalls(columns, ofImages, ofTexts));
    },
  };
}

/** Percent of the queries, a row each, that have one of their group among the best 1, 5 and 10. */
function recalls(
  rows: readonly Float32Array[],
  groups: readonly number[],
  queries: readonly number[],
): number[] {
  const ranks = rows.map((row, query) => rankOfOwn(row, groups, queries[query]));
  return CUTOFFS.map((cutoff) => (100 * ranks.filter((rank) => rank <= cutoff).length) / rows.length);
}
