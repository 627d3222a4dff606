import { type DenseConfig, type TowerConfig, familyOf } from '@winnow/core';

/** The stacks of blocks in a model. */
export function towersOf(config: DenseConfig): readonly TowerConfig[] {
  const { vision, text } = familyOf(config).towers(config);
  return [vision, text].flatMap((found) => (found === undefined ? [] : [found.tower]));
}
