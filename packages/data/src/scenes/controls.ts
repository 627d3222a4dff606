import { type RandomStream, permutation } from '@winnow/core';

/**
 * Things that are broken on purpose, so that a model's score must fall to chance: texts of other scenes, pictures without content, or boxes of
 * other scenes.
 */
export const sceneControls = ['shuffled texts', 'blank pictures', 'permuted boxes'] as const;
export type SceneControl = (typeof sceneControls)[number];

/** Gives each item the place of another one; a single item stays. */
export function deranged<Item>(items: readonly Item[], random: RandomStream): Item[] {
  const order = [...permutation(items.length, random)];
  const after = new Map(order.map((index, place) => [index, order[(place + 1) % order.length] ?? index]));
  return items.map((item, index) => items[after.get(index) ?? index] ?? item);
}
