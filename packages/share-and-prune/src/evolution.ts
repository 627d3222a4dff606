import { type Tensor2D, concat, slice, tensor2d } from '@tensorflow/tfjs-core';
import { storedParameters } from './count';
import { type Layout, bySubLayer } from './layout';
import type { Pairing } from './pairing';
import type { StructureVector } from './structure';

/**
 * The number of parameters that a structure stores, and for each sub-layer the shares of its entries that are borrowed
 * and pruned.
 */
export type EvolutionRow = {
  readonly stored: number;
  readonly borrowed: readonly number[];
  readonly pruned: readonly number[];
};

/** Stands for numbers that are still to come, none of which is negative. */
const NOT_REACHED = -1;

/** Room for the structure after every epoch, [epochs, 1 + 2·sub-layers]; −1 has not been reached. */
export function emptyEvolution(epochs: number, { subLayers }: Pairing): Tensor2D {
  const width = 1 + 2 * subLayers.length;
  return tensor2d(new Float32Array(epochs * width).fill(NOT_REACHED), [epochs, width]);
}

/** The table with the row of one epoch filled in from a resolved structure. */
export function withEpoch(
  table: Tensor2D,
  epoch: number,
  resolved: StructureVector,
  layout: Layout,
): Tensor2D {
  const vectors = Object.values(bySubLayer(resolved, layout, 1));
  const shareOfZeros = (vector: Float32Array): number =>
    1 - vector.reduce((total, entry) => total + entry, 0) / vector.length;
  const [epochs, width] = table.shape;
  const row = tensor2d(
    [
      storedParameters(resolved, layout),
      ...vectors.map(({ share }) => shareOfZeros(share)),
      ...vectors.map(({ keep }) => shareOfZeros(keep)),
    ],
    [1, width],
  );
  const rowsFrom = (start: number, count: number): Tensor2D[] =>
    count === 0 ? [] : [slice(table, [start, 0], [count, width])];
  return concat([...rowsFrom(0, epoch), row, ...rowsFrom(epoch + 1, epochs - epoch - 1)], 0);
}

/** The rows of the epochs that were reached. */
export function evolutionRows(table: Tensor2D, { subLayers }: Pairing): EvolutionRow[] {
  const [epochs, width] = table.shape;
  const values = Array.from(table.dataSync<'float32'>());
  return Array.from({ length: epochs }, (_, epoch) => {
    const [stored = NOT_REACHED, ...shares] = values.slice(epoch * width, (epoch + 1) * width);
    return {
      stored,
      borrowed: shares.slice(0, subLayers.length),
      pruned: shares.slice(subLayers.length),
    };
  }).filter(({ stored }) => stored >= 0);
}
