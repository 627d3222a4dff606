import { type Tensor2D, dispose, keep, reshape, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { Memory } from '../layers/cross-block';
import { gatherRows } from '../operations/gather-rows';

/**
 * The memory that each text looks at, by its place among B: the memories as they are where texts come in their order, as many of each,
 * else one for every text. Call it in a tidy.
 */
export function memoryOfEach(memory: Memory, places: Int32Array): Memory {
  const { states, tokens, counts } = memory;
  const [rows, width] = states.shape;
  const memories = rows / tokens;
  const perMemory = places.length / memories;
  const inOrder =
    Number.isInteger(perMemory) && places.every((place, text) => place === Math.floor(text / perMemory));
  if (inOrder) return memory;
  const picked = (x: Tensor2D, size: number): Tensor2D => {
    const each: Tensor2D = reshape(x, [memories, size]);
    return gatherRows(each, tensor1d(places, 'int32'));
  };
  return {
    states: reshape(picked(states, tokens * width), [places.length * tokens, width]),
    tokens,
    ...(counts === undefined ? {} : { counts: picked(counts, tokens) }),
  };
}

/** A memory that survives the tidy that it is made in, with what lets go of it. */
export function keptMemory(make: () => Memory): { readonly memory: Memory; release(): void } {
  let made: Memory | undefined;
  tidy(() => {
    const { states, counts, tokens } = make();
    made = {
      states: keep(states.clone()),
      tokens,
      ...(counts === undefined ? {} : { counts: keep(counts.clone()) }),
    };
  });
  if (made === undefined) throw new RangeError('expected a memory');
  const { states, counts } = made;
  return {
    memory: made,
    release: () => {
      dispose(counts === undefined ? [states] : [states, counts]);
    },
  };
}
