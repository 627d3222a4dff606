import { type Dataset, type RandomStream, permutation, randomStream } from '@winnow/core';

/** Pictures among which the next one is drawn. */
const BUFFER = 10_000;

/**
 * An order of examples in which neighbours mostly lie near one another: the shards in random order, their examples through a
 * buffer from which the next is drawn at random (as WebDataset shuffles; here the buffer holds numbers instead of
 * pictures, so it costs nothing). Every example comes once. With fewer examples than the buffer holds all orders are equally
 * likely.
 * @param shards Of each example, in the order of the dataset: the number of its shard. Those of a shard lie together.
 */
export function shardOrder(shards: Int32Array, random: RandomStream, buffer = BUFFER): Int32Array {
  const begins = [...runsIn(shards)];
  const order = new Int32Array(shards.length);
  const waiting = new Int32Array(Math.min(buffer, shards.length));
  let held = 0;
  let done = 0;
  for (const run of permutation(begins.length, random)) {
    const end = begins[run + 1] ?? shards.length;
    for (let example = begins[run] ?? 0; example < end; example++) {
      if (held < waiting.length) {
        waiting[held++] = example;
        continue;
      }
      const drawn = random.integer(held);
      order[done++] = waiting[drawn] ?? 0;
      waiting[drawn] = example;
    }
  }
  for (const place of permutation(held, random)) order[done++] = waiting[place] ?? 0;
  return order;
}

/** A dataset whose training goes from shard to shard; the same one where its pictures are in none. @param paths Of its examples. */
export function inShards<Batch>(
  dataset: Dataset<Batch>,
  paths: readonly string[],
  shardOf: ((path: string) => number) | undefined,
): Dataset<Batch> {
  if (shardOf === undefined) return dataset;
  const shards = Int32Array.from(paths, shardOf);
  return { ...dataset, order: ({ seed, epoch }) => shardOrder(shards, randomStream(seed, 'order', epoch)) };
}

/** The places where another shard begins. */
function* runsIn(shards: Int32Array): Generator<number> {
  for (let at = 0; at < shards.length; at++) if (at === 0 || shards[at] !== shards[at - 1]) yield at;
}
