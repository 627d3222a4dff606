import {
  type Decision,
  type Model,
  type Site,
  type SiteCurve,
  allocateUnits,
  compressibleCost,
  keepLast,
} from '@winnow/core';

/** Kinds of sites whose predicted errors are held against measured losses. */
export interface WeighedKinds {
  readonly model: Pick<Model, 'sites'>;
  readonly curves: ReadonlyMap<string, SiteCurve>;
  readonly multiple: number;
  /** The loss that a decision adds to the dense model's. */
  addedLoss(decision: Decision, kind: string): Promise<number>;
}

/** The share of a kind's parameters that stays when it is weighed. */
const KEEP = 0.5;
/** A kind that adds nothing, by chance, counts at least this share of the heaviest. */
const LEAST = 0.1;

/**
 * Curves of which a unit is a measured loss: of each kind of sites (of a tower) half the parameters go, all others stay, and
 * the loss that this adds is set against the predicted error. Estimates of attention and of hidden units err in their own ways.
 */
export async function weighedCurves({
  model: { sites },
  curves,
  multiple,
  addedLoss,
}: WeighedKinds): Promise<ReadonlyMap<string, SiteCurve>> {
  const kinds = new Map<string, Site[]>();
  for (const site of sites) {
    const name = `${site.tower} ${site.structure}`;
    kinds.set(name, [...(kinds.get(name) ?? []), site]);
  }
  if (kinds.size < 2) return curves;
  const ratios = new Map<string, number>();
  for (const [name, own] of kinds) {
    const { kept, error } = allocateUnits(own, {
      curves: new Map([...curves].map(([id, { best }]) => [id, best])),
      multiple,
      costOf: ({ unitCost }, units) => units * unitCost.parameters,
      budget: KEEP * compressibleCost(own).parameters,
    });
    const all = Object.fromEntries(sites.map(({ id, units }) => [id, units]));
    const added = await addedLoss(keepLast(sites, curves, { ...all, ...kept }), name);
    ratios.set(name, error > 0 ? added / error : 0);
  }
  const heaviest = Math.max(...ratios.values());
  if (!(heaviest > 0)) return curves;
  const weighed = [...kinds].flatMap(([name, own]) => {
    const weight = Math.max(ratios.get(name) ?? 0, LEAST * heaviest);
    return own.map(({ id }): [string, SiteCurve] => [id, scaled(curves.get(id), weight)]);
  });
  return new Map(weighed);
}

function scaled(curve: SiteCurve | undefined, weight: number): SiteCurve {
  const { removed, errors, best } = curve ?? { removed: [], errors: [], best: [] };
  return {
    removed,
    errors: errors.map((error) => weight * error),
    best: best.map((error) => weight * error),
  };
}
