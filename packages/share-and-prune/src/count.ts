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
    const { columns, embedDim: D, structure } = subLayer;
    let stored = 0;
    for (let unit = 0; unit < columns; unit++) {
      const keep = resolved[keepFrom + unit] ?? 0;
      const first = ownAt(resolved, shareFrom, unit);
      if (structure === 'ffn') {
        stored += keep * first;
      } else {
        const [key, value] = [columns + unit, 2 * columns + unit];
        stored += keep * (first + ownAt(resolved, shareFrom, key)) + ownAt(resolved, shareFrom, value);
      }
    }
    total += structure === 'ffn' ? stored * (2 * D + 1) : stored * (D + 1) + columns * D;
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
    const { columns, embedDim: D, structure } = subLayer;
    const size = scale * (structure === 'ffn' ? 2 * D + 1 : D + 1);
    for (let unit = 0; unit < columns; unit++) {
      const own = ownAt(resolved, shareFrom, unit);
      const pruned = structure === 'ffn' ? own : own + ownAt(resolved, shareFrom, columns + unit);
      addAt(gradient, keepFrom + unit, size * pruned);
      if (shareFrom === undefined) continue;
      const ofShare = size * (resolved[keepFrom + unit] ?? 0);
      addAt(gradient, shareFrom + unit, ofShare);
      if (structure === 'ffn') continue;
      addAt(gradient, shareFrom + columns + unit, ofShare);
      addAt(gradient, shareFrom + 2 * columns + unit, size);
    }
  }
}

/** P of the dense towers. */
export const denseParameters = ({ subLayers }: Pairing): number =>
  subLayers.reduce(
    (total, { structure, embedDim: D, columns }) =>
      total + (structure === 'ffn' ? columns * (2 * D + 1) : columns * (4 * D + 3)),
    0,
  );

/** R = log(max(P, budget) / budget): no gradient once the budget is met. */
export const budgetPenalty = (stored: Scalar, budget: number): Scalar =>
  log<Scalar>(mul<Scalar>(maximum<Scalar>(stored, budget), 1 / budget));
