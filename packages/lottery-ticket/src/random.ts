import { type KeptEntries, permutation, randomStream } from '@winnow/core';
import { type Pruning, everything, prune } from './pruning';

/** A mask that takes random weights away, the same share of each group of the scope (RP of the slides). */
export function randomMask(pruning: Pruning, removed: number, seed: number): KeptEntries {
  const scores = pruning.matrices.map(({ parameter, shape: [rows, columns] }): [string, Float64Array] => {
    const random = randomStream(seed, 'random mask', parameter);
    return [parameter, Float64Array.from({ length: rows * columns }, random.uniform)];
  });
  return prune(pruning, Object.fromEntries(scores), everything(pruning.matrices), removed);
}

/** A mask that keeps as many weights of every matrix as another does, at random places. */
export function likeMask(kept: KeptEntries, seed: number): KeptEntries {
  return Object.fromEntries(
    Object.entries(kept).map(([parameter, entries]) => {
      const order = permutation(entries.length, randomStream(seed, 'mask like another', parameter));
      return [parameter, Uint8Array.from(order, (place) => entries[place] ?? 0)];
    }),
  );
}
