import { type Tensor, dispose, keep } from '@tensorflow/tfjs-core';

/** Constants of a model that stay on the engine from one step to the next, by what they were made of. */
export type Residence = Map<object, Tensor>;

/** Where the work that runs now may keep its constants. */
let current: Residence | undefined;

/**
 * A tensor that only depends on `key`. Within `residing` it is made once and stays until the residence is left;
 * elsewhere it is made every time, and the enclosing tidy disposes it.
 */
export function resident(key: object, make: () => Tensor): Tensor {
  const known = current?.get(key);
  if (known !== undefined) return known;
  const made = make();
  current?.set(key, keep(made));
  return made;
}

/** Does a piece of work whose constants stay for the next one: whoever made the residence has to `leave` it. */
export function residing<Result>(residence: Residence, work: () => Result): Result {
  const outer = current;
  current = residence;
  try {
    return work();
  } finally {
    current = outer;
  }
}

/** Disposes the constants. */
export function leave(residence: Residence): void {
  dispose([...residence.values()]);
  residence.clear();
}
