import { type Tensor, abs, div, sub, sum, tidy } from '@tensorflow/tfjs-core';
import { type Json, type TensorTree, entriesOf } from '@winnow/core';
import type { Committed } from './commit';
import { columnParameters } from './columns';
import type { EvolutionRow } from './evolution';
import type { BySubLayer } from './layout';
import type { Pairing, SubLayer } from './pairing';

export interface Found {
  readonly pairing: Pairing;
  readonly committed: Committed;
  /** Parameters that the budget allows. */
  readonly target: number;
  readonly evolution: readonly EvolutionRow[];
  /** The structure that was committed, conflicts resolved. */
  readonly structure: Resolved;
  /** Before they were tied and pruned. */
  readonly weights: TensorTree;
}

type Resolved = BySubLayer<ArrayLike<number>>;

/**
 * Computes what figures are drawn of: the shares borrowed and pruned at every sub-layer (the paper's Figure 3), how far
 * columns lie from what they are replaced by (Figure 4), and the structure after every epoch.
 */
export function findingsOf({ pairing, committed, target, evolution, structure, weights }: Found): Json {
  const { learned, stored, moved } = committed;
  return {
    parameters: { target, learned, stored, movedGates: moved },
    subLayers: pairing.subLayers.map((subLayer) => ratiosOf(subLayer, structure)),
    distances: distancesOf(pairing, structure, weights),
    evolution: evolution.map((row, epoch) => ({ epoch: epoch + 1, ...row })),
  };
}

const shareOfZeros = (entries: ArrayLike<number> = []): number =>
  Array.from(entries).filter((entry) => entry === 0).length / Math.max(1, entries.length);

function ratiosOf({ id, tower, layer, structure }: SubLayer, resolved: Resolved): Json {
  const found = resolved[id];
  const [borrowed, pruned] = [shareOfZeros(found?.share), shareOfZeros(found?.keep)];
  return { id, tower, layer, structure, borrowed, pruned };
}

/** Mean ℓ₁ distances per entry, of columns that were selected and of those that were not. */
function distancesOf(pairing: Pairing, resolved: Resolved, weights: TensorTree): Json {
  const tensors = new Map<string, Tensor>(entriesOf<Tensor>(weights));
  const kinds = {
    pruned: pairing.subLayers.map((subLayer) => ({ subLayer, lender: undefined })),
    acrossTowers: lendings(pairing, 'vision'),
    acrossLayers: lendings(pairing, 'text'),
  };
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, pairs]): [string, Json] => {
      const totals = { selected: { sum: 0, columns: 0 }, others: { sum: 0, columns: 0 } };
      for (const { subLayer, lender } of pairs) {
        const chosen = resolved[subLayer.id];
        for (const { path, lent, shareFrom, axis, isInPrunedColumn } of columnParameters(subLayer, pairing)) {
          const isRelevant = lender === undefined ? isInPrunedColumn : lent !== undefined;
          const parameter = tensors.get(path);
          if (!isRelevant || parameter === undefined || parameter.rank < 2) continue;
          const other = lender === undefined || lent === undefined ? undefined : tensors.get(lent);
          const distances = columnDistances(parameter, other, axis);
          distances.forEach((distance, column) => {
            const value = lender === undefined ? chosen?.keep[column] : chosen?.share[shareFrom + column];
            const side = value === 0 ? totals.selected : totals.others;
            side.sum += distance;
            side.columns += 1;
          });
        }
      }
      const meanOf = ({ sum, columns }: { sum: number; columns: number }) =>
        columns === 0 ? null : sum / columns;
      return [kind, { selected: meanOf(totals.selected), others: meanOf(totals.others) }];
    }),
  );
}

const lendings = ({ subLayers }: Pairing, tower: SubLayer['tower']) =>
  subLayers.flatMap((subLayer) =>
    subLayer.tower === tower && subLayer.lender !== undefined ? [{ subLayer, lender: subLayer.lender }] : [],
  );

/** Mean |entry| of every column of a matrix, or of its difference from another's. */
function columnDistances(matrix: Tensor, other: Tensor | undefined, axis: 0 | 1): number[] {
  const distances = tidy((): Tensor => {
    const across = axis === 1 ? 0 : 1;
    return div(
      sum(abs(other === undefined ? matrix : sub(matrix, other)), across),
      matrix.shape[across] ?? 1,
    );
  });
  const values = Array.from(distances.dataSync<'float32'>());
  distances.dispose();
  return values;
}
