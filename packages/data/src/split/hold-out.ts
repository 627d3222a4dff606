import { permutation, randomStream } from '@winnow/core';
import { grouped } from './grouped';

export interface HeldOut<Example> {
  readonly kept: readonly Example[];
  readonly heldOut: readonly Example[];
}

/**
 * Sets a share of each class aside. A class of two or more examples gives at least one and keeps at least one; a lone
 * example is kept. Both parts keep the order of `examples`, which with `seed` decides the outcome.
 */
export function holdOut<Example extends { readonly label: number }>(
  examples: readonly Example[],
  share: number,
  seed: number,
): HeldOut<Example> {
  const out = new Set<Example>();
  for (const [label, members] of grouped(examples, (example) => example.label)) {
    const count = Math.min(Math.max(1, Math.round(members.length * share)), members.length - 1);
    for (const index of permutation(members.length, randomStream(seed, 'hold-out', label)).subarray(
      0,
      count,
    )) {
      const member = members[index];
      if (member !== undefined) out.add(member);
    }
  }
  return {
    kept: examples.filter((example) => !out.has(example)),
    heldOut: examples.filter((example) => out.has(example)),
  };
}
