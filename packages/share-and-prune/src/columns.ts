import type { Pairing, SubLayer } from './pairing';

/** A parameter of a sub-layer whose columns can be shared and pruned, and which entries speak about them. */
export interface ColumnParameter {
  /** Path in the parameter record. */
  readonly path: string;
  /** The part of the sub-layer that it belongs to: weight and bias of `query` have one part. */
  readonly part: string;
  /** The same parameter of the lender. */
  readonly lent: string | undefined;
  /** Along which the columns lie: 1 for matrices of columns; 0 for biases, and for the rows of the second FFN matrix. */
  readonly axis: 0 | 1;
  /** The first of the sharing vector's entries that are about it. */
  readonly shareFrom: number;
  /** Pruning a unit scales it; of FFN that is done where the unit is read, after the non-linearity. */
  readonly isPruned: boolean;
  /** Whether it has entries of columns that can be pruned, here or where they are read. */
  readonly isInPrunedColumn: boolean;
}

/**
 * The parameters of a sub-layer that sharing and pruning are about: q, k, v with biases; W_E with its bias and W_C. Sites
 * that lend to each other list the same couplings.
 */
export function columnParameters(
  { kinds, columns, couplings, lender }: SubLayer,
  { byId }: Pick<Pairing, 'byId'>,
): ColumnParameter[] {
  const lending = lender === undefined ? undefined : byId(lender);
  const isRead = new Set(
    couplings.flatMap(({ role, columns = '' }) => (role === 'consumer' ? [columns] : [])),
  );
  return couplings.flatMap(({ parameter, part, axis, role, columns: name = '' }, coupling) => {
    const kind = kinds.findIndex((known) => known.name === name);
    if (kind < 0) return [];
    const isScaledHere = role === (isRead.has(name) ? 'consumer' : 'producer');
    return [
      {
        path: parameter,
        part,
        lent: lending?.couplings[coupling]?.parameter,
        axis,
        shareFrom: kind * columns,
        isPruned: (kinds[kind]?.isPruned ?? false) && isScaledHere,
        isInPrunedColumn: kinds[kind]?.isPruned ?? false,
      },
    ];
  });
}
