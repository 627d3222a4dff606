import type { BySubLayer } from './layout';
import type { Pairing, SubLayer } from './pairing';

/** Sub-layers that are tied by lending: of each unit, what one stores depends on these alone. */
export interface Group {
  readonly kinds: SubLayer['kinds'];
  readonly columns: number;
  readonly members: readonly SubLayer[];
  /** For each member, the index of its lender among them; −1 for none. */
  readonly lenders: readonly number[];
}

/** All sub-layers by who lends to whom, in network order. */
export function groupsOf({ subLayers, byId }: Pairing): Group[] {
  const rootOf = (subLayer: SubLayer): string =>
    subLayer.lender === undefined ? subLayer.id : rootOf(byId(subLayer.lender));
  const members = new Map<string, SubLayer[]>();
  for (const subLayer of subLayers) {
    const root = rootOf(subLayer);
    members.set(root, [...(members.get(root) ?? []), subLayer]);
  }
  return [...members.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { kinds, columns } = first;
    const lenders = all.map(({ lender }) => all.findIndex(({ id }) => id === lender));
    return [{ kinds, columns, members: all, lenders }];
  });
}

/** Learned choices in host memory: 1 own or keep, 0 shared or pruned. */
export type Choices = BySubLayer<Uint8Array>;

/** The standing of a group at one unit, conflicts resolved. */
export interface Standing {
  /** For each member, 1 where the unit's column is its own: of q, k and v, or of the hidden units. */
  readonly own: readonly (readonly number[])[];
  /** For each member, 1 where the unit is there: of attention, its columns of q and k; v always is. */
  readonly present: readonly number[];
  /** Parameters stored for the unit. */
  readonly stored: number;
}

/** Sharing wins over pruning (Eq. 6, 7): a unit that is borrowed, or lends, is there. */
export function standingAt(
  { members, lenders, kinds, columns }: Group,
  choices: Choices,
  unit: number,
): Standing {
  const own = members.map(({ id }) => kinds.map((_, kind) => choices[id]?.share[kind * columns + unit] ?? 1));
  const present = members.map(({ id }) => choices[id]?.keep[unit] ?? 1);
  own.forEach((ofKinds, index) => {
    if (kinds.every(({ isPruned }, kind) => !isPruned || ofKinds[kind] === 1)) return;
    present[index] = 1;
    const lender = lenders[index] ?? -1;
    if (lender >= 0) present[lender] = 1;
  });
  const stored = own.reduce(
    (total, ofKinds, index) =>
      kinds.reduce(
        (sum, { size, isPruned }, kind) =>
          sum + size * (ofKinds[kind] ?? 0) * (isPruned ? (present[index] ?? 0) : 1),
        total,
      ),
    0,
  );
  return { own, present, stored };
}

/** The parameters that are stored whatever is chosen. */
export const alwaysStored = ({ subLayers }: Pairing): number =>
  subLayers.reduce((total, subLayer) => total + subLayer.alwaysStored, 0);

/** The least that can be stored with one unit left in every sub-layer: shared by its group, as all values are. */
export function leastStored(pairing: Pairing): number {
  return groupsOf(pairing).reduce(
    (total, { kinds, columns }) =>
      kinds.reduce((sum, { size, isPruned }) => sum + size * (isPruned ? 1 : columns), total),
    alwaysStored(pairing),
  );
}
