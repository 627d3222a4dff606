import { UserError } from '@winnow/core';
import { regionRules } from '@winnow/data';
import { z } from 'zod';
import { pathOption } from '../options/path';

const SEEDS = 2 ** 31 - 1;

/** Which regions of a picture a model reads, and who says what they show. Runs that say none of it do not name it. */
export const regionsShape = {
  regions: z
    .enum(regionRules)
    .optional()
    .describe(
      'Of a UNITER or LXMERT, boxes: those of the objects (true, the default), jittered, or crowded by boxes of nothing',
    ),
  regionsSeed: z
    .int()
    .min(0)
    .max(SEEDS)
    .optional()
    .describe('Decides the boxes that are drawn, and the tower without --regions-from; default: 0'),
  regionsFrom: pathOption('model')
    .min(1)
    .optional()
    .describe(
      'A frozen model whose vision tower says what regions show; default: a nano one with random weights',
    ),
};
const regionsOptions = z.object(regionsShape);
export type RegionsOptions = z.output<typeof regionsOptions>;

/** The options of regions among others. */
export const regionsIn = (options: unknown): RegionsOptions => regionsOptions.parse(options);

const flags = { regions: '--regions', regionsSeed: '--regions-seed', regionsFrom: '--regions-from' } as const;

/** @throws {UserError} where options are about regions and the model reads pixels. */
export function refuseRegions(options: unknown, kind: string): void {
  const given = regionsIn(options);
  const [flag] = (['regions', 'regionsSeed', 'regionsFrom'] as const).filter(
    (key) => given[key] !== undefined,
  );
  if (flag === undefined) return;
  throw new UserError(
    `${flags[flag]} is for a uniter or an lxmert, which read regions: ${kind} reads pixels`,
  );
}
