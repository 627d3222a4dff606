import { type Tensor2D, matMul, tensor2d, tidy } from '@tensorflow/tfjs-core';
import type { PairBatch } from '../data/dataset';
import type { HostTensor } from '../tree/host';
import type { HostPrediction, Scorer, Scores } from './task';

/** Embeddings of one side of all batches, row by row, each with its group. */
interface Side {
  readonly rows: Float32Array[];
  readonly groups: number[];
}

/** Queries compared with everything at a time: bounds the memory of the cosines. */
const QUERIES_PER_BLOCK = 256;
export const CUTOFFS = [1, 5, 10] as const;

/** Collects embeddings of pictures and texts; the scores look for each in all of the others. */
export function retrievalScorer(): Scorer<HostPrediction, PairBatch> {
  const images: Side = { rows: [], groups: [] };
  const texts: Side = { rows: [], groups: [] };
  return {
    add: (prediction, { imageGroups, textGroups }) => {
      collect(images, prediction['images'], imageGroups);
      collect(texts, prediction['texts'], textGroups);
    },
    scores: async (): Promise<Scores> => {
      return recallScores(await recallsOf(images, texts), await recallsOf(texts, images));
    },
  };
}

/** Recalls of texts and of pictures under their names, and their mean. */
export function recallScores(ofTexts: readonly number[], ofImages: readonly number[]): Scores {
  const recalls = { ...named('textR', ofTexts), ...named('imageR', ofImages) };
  const values = Object.values(recalls);
  return { meanR: values.reduce((sum, value) => sum + value, 0) / values.length, ...recalls };
}

const named = (prefix: string, recalls: readonly number[]): Record<string, number> =>
  Object.fromEntries(CUTOFFS.map((cutoff, index) => [`${prefix}${cutoff}`, recalls[index] ?? Number.NaN]));

function collect({ rows, groups }: Side, embeddings: HostTensor | undefined, of: Int32Array): void {
  if (embeddings?.dtype !== 'float32') throw new TypeError('retrieval: no embeddings were predicted');
  const width = embeddings.values.length / of.length;
  of.forEach((group, row) => {
    rows.push(embeddings.values.slice(row * width, (row + 1) * width));
    groups.push(group);
  });
}

/** Percent of the queries that have one of their group among the best 1, 5 and 10 of the others. */
async function recallsOf(queries: Side, others: Side): Promise<number[]> {
  const hits = CUTOFFS.map(() => 0);
  const table = asTensor(others.rows);
  try {
    for (let start = 0; start < queries.rows.length; start += QUERIES_PER_BLOCK) {
      const block = queries.rows.slice(start, start + QUERIES_PER_BLOCK);
      const cosines = tidy(() => matMul(asTensor(block), table, false, true)); // [queries, others]
      const values = await cosines.data<'float32'>();
      cosines.dispose();
      block.forEach((_, query) => {
        const row = values.subarray(query * others.rows.length, (query + 1) * others.rows.length);
        const rank = rankOfOwn(row, others.groups, queries.groups[start + query]);
        CUTOFFS.forEach((cutoff, index) => (hits[index] = (hits[index] ?? 0) + (rank <= cutoff ? 1 : 0)));
      });
    }
  } finally {
    table.dispose();
  }
  return hits.map((count) => (100 * count) / queries.rows.length);
}

/** The rank, from 1, of the best of the group. Others that are not clearly worse go before it, and so does what is NaN. */
export function rankOfOwn(
  cosines: Float32Array,
  groups: readonly number[],
  group: number | undefined,
): number {
  let best = -Infinity;
  cosines.forEach((cosine, other) => {
    if (groups[other] === group && cosine > best) best = cosine;
  });
  if (best === -Infinity) return Infinity;
  let before = 0;
  cosines.forEach((cosine, other) => {
    if (groups[other] !== group && !(cosine < best)) before += 1;
  });
  return before + 1;
}

function asTensor(rows: readonly Float32Array[]): Tensor2D {
  const width = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, index) => values.set(row, index * width));
  return tensor2d(values, [rows.length, width]);
}
