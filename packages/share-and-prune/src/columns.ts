import { partOf, partsOf } from '@winnow/core';
import type { SubLayer } from './pairing';

/** A parameter of a sub-layer whose columns can be shared and pruned, and which entries speak about them. */
export interface ColumnParameter {
  /** Path in the parameter record. */
  readonly path: string;
  /** The same parameter of the lender. */
  readonly lent: string | undefined;
  /** Along which the columns lie: 1 for matrices of columns; 0 for biases, and for the rows of the second FFN matrix. */
  readonly axis: 0 | 1;
  /** The first of the sharing vector's entries that are about it. */
  readonly shareFrom: number;
  /** Pruning a unit scales it; of FFN that is done where the unit is read, after the non-linearity. */
  readonly isPruned: boolean;
}

/** The parameters of a sub-layer that sharing and pruning are about: q, k, v with biases; W_E with its bias and W_C. */
export function columnParameters({ id, structure, lender, columns, couplings }: SubLayer): ColumnParameter[] {
  const parts = partsOf({ structure });
  return couplings.flatMap(({ parameter, axis, role }) => {
    const part = partOf({ id, structure }, parameter);
    if (part === undefined) return [];
    return [
      {
        path: parameter,
        lent: lender === undefined ? undefined : lender + parameter.slice(id.length),
        axis,
        shareFrom: parts.indexOf(part) * columns,
        isPruned: structure === 'ffn' ? role === 'consumer' : part !== 'value',
      },
    ];
  });
}
