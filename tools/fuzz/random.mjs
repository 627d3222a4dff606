import seedrandom from 'seedrandom';

/**
 * @typedef {object} Random draws, a function of the labels alone
 * @property {() => number} share in [0, 1)
 * @property {(below: number) => number} below a whole number from 0 on
 * @property {<T>(list: readonly T[]) => T} pick
 * @property {(share: number) => boolean} chance
 */

/** @returns {Random} */
export function randomOf(...labels) {
  const share = seedrandom(labels.join('/'));
  const below = (count) => Math.floor(share() * count);
  return { share, below, pick: (list) => list[below(list.length)], chance: (wanted) => share() < wanted };
}
