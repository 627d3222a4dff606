import { type Scalar, log, maximum, mul } from '@tensorflow/tfjs-core';
import type { Layout } from './layout';
import type { Pairing } from './pairing';
import type { StructureVector } from './structure';

/**
 * P(m, s): stored parameters of the attention and feed-forward sub-layers of both towers, of a structure whose conflicts
 * are resolved. A column is stored with its bias, once, by whom it is borrowed from; pruned ones are not stored. The
 * output projections of attention are stored whole. Exact where the vectors are 0 and 1.
 */
export function storedParameters(resolved: StructureVector, { places }: Layout): number {
  let total = 0;
  for (const { subLayer, shareFrom, keepFrom } of places) {
    const { columns, kinds, alwaysStored } = subLayer;
    for (let unit = 0; unit < columns; unit++) {
      const keep = resolved[keepFrom + unit] ?? 0;
      kinds.forEach(({ size, isPruned }, kind) => {
        total += size * (isPruned ? keep : 1) * ownAt(resolved, shareFrom, kind * columns + unit);
      });
    }
    total += alwaysStored;
  }
  return total;
}

/** An entry of s; where nobody lends, everything is its own. */
const ownAt = (entries: StructureVector, shareFrom: number | undefined, entry: number): number =>
  shareFrom === undefined ? 1 : (entries[shareFrom + entry] ?? 1);

function addAt(numbers: Float32Array, position: number, by: number): void {
  numbers[position] = (numbers[position] ?? 0) + by;
}

/** Adds scale · ∂P/∂entries to a gradient. */
export function addStoredGradient(
  gradient: Float32Array,
  resolved: StructureVector,
  scale: number,
  { places }: Layout,
): void {
  for (const { subLayer, shareFrom, keepFrom } of places) {
    const { columns, kinds } = subLayer;
    for (let unit = 0; unit < columns; unit++) {
      const keep = resolved[keepFrom + unit] ?? 0;
      let ofKeep = 0;
      kinds.forEach(({ size, isPruned }, kind) => {
        const entry = kind * columns + unit;
        if (isPruned) ofKeep += scale * size * ownAt(resolved, shareFrom, entry);
        if (shareFrom !== undefined) addAt(gradient, shareFrom + entry, scale * size * (isPruned ? keep : 1));
      });
      addAt(gradient, keepFrom + unit, ofKeep);
    }
  }
}

/** P of the dense towers. */
export const denseParameters = ({ subLayers }: Pairing): number =>
  subLayers.reduce(
    (total, { kinds, columns, alwaysStored }) =>
      kinds.reduce((sum, { size }) => sum + size * columns, total + alwaysStored),
    0,
  );

/** R = log(max(P, budget) / budget): no gradient once the budget is met. */
export const budgetPenalty = (stored: Scalar, budget: number): Scalar =>
  log<Scalar>(mul<Scalar>(maximum<Scalar>(stored, budget), 1 / budget));
