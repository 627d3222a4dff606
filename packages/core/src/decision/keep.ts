import { z } from 'zod';
import type { Site } from '../sites/site';
import { type Cut, defineDecisionKind } from './kind';

/** The units of a site that stay, ascending. */
export interface Keep {
  readonly kind: 'keep';
  readonly kept: readonly number[];
  /** Units of the dense site. */
  readonly units: number;
  /** Dimensions that are combinations of the dense ones, in each head its own: then `kept` says their number alone. */
  readonly basis?: 'own';
}

/** Whole units of a site go. */
export const keepKind = defineDecisionKind<Keep>({
  kind: 'keep',
  schema: z.strictObject({
    kind: z.literal('keep'),
    kept: z.array(z.int().nonnegative()).min(1),
    units: z.int().positive(),
    basis: z.literal('own').exactOptional(),
  }),
  check: ({ id }, { kept, units }) => {
    if (kept.length === 0)
      throw new RangeError(`the decision keeps nothing at ${id}: keep at least one unit`);
    kept.forEach((unit, position) => {
      const previous = position === 0 ? -1 : (kept[position - 1] ?? -1);
      if (!Number.isInteger(unit) || unit <= previous || unit >= units) {
        throw new RangeError(
          `kept units at ${id} must ascend within 0…${units - 1}, got ${unit} after ${previous}`,
        );
      }
    });
  },
  kept: ({ kept }) => kept,
  cuts: (site, { kept }) => unitCuts(site, kept),
  widths: (site, { kept }) => unitWidth(site, kept),
});

/** The cuts that leave these units of a site, everywhere they run. */
export function unitCuts(
  { units, couplings }: Pick<Site, 'units' | 'couplings'>,
  kept: readonly number[],
): [path: string, cut: Cut][] {
  if (kept.length === units) return [];
  return couplings.map(({ parameter, axis, copies }): [string, Cut] => {
    const indices = Array.from({ length: copies }, (_, copy) =>
      kept.map((unit) => copy * units + unit),
    ).flat();
    return [parameter, { axis, indices }];
  });
}

/** The width that these units of a site leave, by its path in the configuration. */
export const unitWidth = (
  { units, width }: Pick<Site, 'units' | 'width'>,
  { length }: readonly number[],
): [path: string, width: number][] => (length === units ? [] : [[width, length]]);
