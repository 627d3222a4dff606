import { type Scalar, log, maximum, mul } from '@tensorflow/tfjs-core';
import type { Layout, Place } from './layout';
import type { Pairing } from './pairing';
import type { StructureVector } from './structure';

/**
 * P(m, s): stored parameters of the attention and feed-forward sub-layers of both towers, of a structure whose conflicts
 * are resolved. A column is stored with its bias, once, by whom it is borrowed from; pruned ones are not stored. The
 * output projections of attention are stored whole. Exact where the vectors are 0 and 1.
 */
export function storedParameters(resolved: StructureVector, { places }: Layout): number {
  let total = 0;
  for (const place of places) {
    const { columns, embedDim: D, structure } = place.subLayer;
    for (let unit = 0; unit < columns; unit++) {
      const [keep, first, key, value] = unitAt(resolved, place, unit);
      total += structure === 'ffn' ? keep * first * (2 * D + 1) : (keep * (first + key) + value) * (D + 1);
    }
    if (structure === 'attention') total += columns * D;
  }
  return total;
}

/** m of a unit and what is its own of it: the hidden unit, or its columns of q, k and v. */
function unitAt(
  entries: StructureVector,
  { subLayer: { columns }, shareFrom, keepFrom }: Place,
  unit: number,
): readonly [keep: number, first: number, key: number, value: number] {
  const keep = entries[keepFrom + unit] ?? 0;
  if (shareFrom === undefined) return [keep, 1, 1, 1];
  const own = (part: number) => entries[shareFrom + part * columns + unit] ?? 0;
  return [keep, own(0), own(1), own(2)];
}

/** Adds scale · ∂P/∂entries to a gradient. */
export function addStoredGradient(
  gradient: Float32Array,
  resolved: StructureVector,
  scale: number,
  { places }: Layout,
): void {
  const add = (entry: number, by: number) => {
    gradient[entry] = (gradient[entry] ?? 0) + by;
  };
  for (const place of places) {
    const { shareFrom, keepFrom, subLayer } = place;
    const { columns, embedDim: D, structure } = subLayer;
    const size = scale * (structure === 'ffn' ? 2 * D + 1 : D + 1);
    for (let unit = 0; unit < columns; unit++) {
      const [keep, first, key] = unitAt(resolved, place, unit);
      add(keepFrom + unit, size * (structure === 'ffn' ? first : first + key));
      if (shareFrom === undefined) continue;
      add(shareFrom + unit, size * keep);
      if (structure === 'ffn') continue;
      add(shareFrom + columns + unit, size * keep);
      add(shareFrom + 2 * columns + unit, size);
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
