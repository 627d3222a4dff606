import type { Layout, Place } from './layout';

/** A structure in host memory, laid out as one vector [N]: 1 own or keep, 0 shared or pruned. */
export type StructureVector = Float32Array;

/** a: 1 where nothing of a unit that could be pruned is borrowed; of attention, neither its q nor its k. */
function ownUnit(entries: StructureVector, { subLayer, pruned }: Place, from: number, unit: number): number {
  return pruned.reduce((own, kind) => own * (entries[from + kind * subLayer.columns + unit] ?? 1), 1);
}

/**
 * Sharing wins over pruning (Eq. 6, 7): a unit that is borrowed, or lends, is not pruned, whatever `keep` says:
 * m ← 1 − (1 − m)·Π a over all that share the unit.
 */
export function resolveConflicts(entries: StructureVector, { places }: Layout): StructureVector {
  const resolved = entries.slice();
  for (const place of places) {
    const { sharers, keepFrom, subLayer } = place;
    if (sharers.length === 0) continue;
    for (let unit = 0; unit < subLayer.columns; unit++) {
      let pruned = 1 - (entries[keepFrom + unit] ?? 1);
      for (const from of sharers) pruned *= ownUnit(entries, place, from, unit);
      resolved[keepFrom + unit] = 1 - pruned;
    }
  }
  return resolved;
}

/** The gradient of a function of the resolved entries, with respect to the entries as they were. */
export function resolveGradient(
  entries: StructureVector,
  gradient: Float32Array,
  { places }: Layout,
): Float32Array {
  const before = gradient.slice();
  for (const place of places) {
    const { sharers, keepFrom, subLayer } = place;
    for (let unit = 0; unit < subLayer.columns && sharers.length > 0; unit++) {
      const ofPruned = -(gradient[keepFrom + unit] ?? 0);
      const pruned = 1 - (entries[keepFrom + unit] ?? 1);
      let owned = 1;
      for (const from of sharers) owned *= ownUnit(entries, place, from, unit);
      before[keepFrom + unit] = -ofPruned * owned;
      // Where m is 1 already, nobody's sharing changes it: so it is almost everywhere.
      if (pruned === 0 || ofPruned === 0) continue;
      for (const from of sharers) {
        let others = ofPruned * pruned;
        for (const other of sharers) if (other !== from) others *= ownUnit(entries, place, other, unit);
        for (const kind of place.pruned) {
          const entryOf = (of: number) => from + of * subLayer.columns + unit;
          const rest = place.pruned.reduce(
            (product, other) => (other === kind ? product : product * (entries[entryOf(other)] ?? 1)),
            others,
          );
          before[entryOf(kind)] = (before[entryOf(kind)] ?? 0) + rest;
        }
      }
    }
  }
  return before;
}
