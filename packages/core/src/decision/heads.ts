import { z } from 'zod';
import { type Site, copiesOf } from '../sites/site';
import { type Cut, defineDecisionKind } from './kind';

/** The heads of an attention that stay, ascending, with all their dimensions. */
export interface KeptHeads {
  readonly kind: 'heads';
  readonly kept: readonly number[];
  /** Heads of the dense site. */
  readonly heads: number;
  /** Units of the dense site: dimensions of each head. */
  readonly units: number;
}

/** Whole heads of an attention go. */
export const headsKind = defineDecisionKind<KeptHeads>({
  kind: 'heads',
  schema: z.strictObject({
    kind: z.literal('heads'),
    kept: z.array(z.int().nonnegative()).min(1),
    heads: z.int().positive(),
    units: z.int().positive(),
  }),
  check: (site, { kept, heads }) => {
    if (site.heads === undefined) throw new RangeError(`whole heads cannot go at ${site.id}`);
    if (copiesOf(site) !== heads)
      throw new RangeError(
        `the decision is for ${heads} heads at ${site.id}, the model has ${copiesOf(site)}`,
      );
    checkAscending(kept, heads, `kept heads at ${site.id}`);
  },
  kept: () => undefined,
  cuts: ({ units, couplings }, { kept, heads }) =>
    kept.length === heads
      ? []
      : couplings.map(({ parameter, axis }): [string, Cut] => {
          const indices = kept.flatMap((head) =>
            Array.from({ length: units }, (_, dimension) => head * units + dimension),
          );
          return [parameter, { axis, indices }];
        }),
  widths: (site: Site, { kept, heads }) =>
    kept.length === heads || site.heads === undefined ? [] : [[site.heads, kept.length]],
});

/** @throws {RangeError} when numbers do not ascend within 0…count − 1, or there are none. */
export function checkAscending(kept: readonly number[], count: number, what: string): void {
  if (kept.length === 0) throw new RangeError(`expected at least one of the ${what}, got none`);
  kept.forEach((each, position) => {
    const previous = position === 0 ? -1 : (kept[position - 1] ?? -1);
    if (!Number.isInteger(each) || each <= previous || each >= count)
      throw new RangeError(`${what} must ascend within 0…${count - 1}, got ${each} after ${previous}`);
  });
}
