import { randomStream } from '@winnow/core';
import fc from 'fast-check';
import { shardOrder } from '../src/shard/order';

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 });
const buffer = fc.integer({ min: 1, max: 40 });

const shardsOf = (counts: readonly number[]): Int32Array =>
  Int32Array.from(counts.flatMap((count, shard) => Array.from({ length: count }, () => shard)));

test('every example comes exactly once, in an order that seed and epoch decide', () => {
  fc.assert(
    fc.property(sizes, buffer, fc.nat(), fc.nat(9), (counts, held, seed, epoch) => {
      const shards = shardsOf(counts);
      const draw = () => shardOrder(shards, randomStream(seed, 'order', epoch), held);
      const order = draw();
      expect([...order].sort((a, b) => a - b)).toEqual([...shards.keys()]);
      expect(order).toEqual(draw());
    }),
  );
});

test('no more examples are under way than the buffer holds: shards are read one after the other', () => {
  fc.assert(
    fc.property(sizes, buffer, fc.nat(), (counts, held, seed) => {
      const shards = shardsOf(counts);
      const order = shardOrder(shards, randomStream(seed, 'order', 0), held);
      // The k-th one drawn is among the first k + buffer that were read: a shard that has begun to be read lies within them.
      const read: number[] = [];
      const begun = new Set<number>();
      order.forEach((example, place) => {
        const shard = shards[example] ?? -1;
        if (!begun.has(shard)) {
          begun.add(shard);
          read.push(shard);
        }
        const before = read.slice(0, -1).reduce((sum, at) => sum + (counts[at] ?? 0), 0);
        if (shard === read.at(-1)) expect(before).toBeLessThan(place + 1 + held + largest(counts));
      });
    }),
  );
});

const largest = (counts: readonly number[]): number => Math.max(0, ...counts);

test('a buffer of one keeps the order within a shard, one for all makes every order possible', () => {
  const shards = shardsOf([3, 3, 3]);
  const alone = [...shardOrder(shards, randomStream(1, 'a'), 1)];
  expect(alone.filter((example) => example < 3)).toEqual([0, 1, 2]);
  const orders = new Set(
    Array.from({ length: 400 }, (_, seed) =>
      shardOrder(shardsOf([2, 1]), randomStream(seed, 'a'), 99).join(),
    ),
  );
  expect(orders.size).toBe(6);
});
