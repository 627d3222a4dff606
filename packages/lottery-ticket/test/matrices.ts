import type { PrunableMatrix } from '@winnow/core';

/** A matrix of a made-up model: `vision.0.query`, [rows, columns]. */
export function matrix(name: string, rows: number, columns: number): PrunableMatrix {
  const [tower = '', layer = '', part = ''] = name.split('.');
  return {
    parameter: name,
    inTower: `${layer}.${part}`,
    shape: [rows, columns],
    tower,
    layer: Number(layer),
    part,
  };
}
