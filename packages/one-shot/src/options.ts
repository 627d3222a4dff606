import { errorMeasures, unitsOption } from '@winnow/core';
import { z } from 'zod';

/** The way in which a ranking runs over the sites of a model; or the numbers of units are allocated by the errors that they leave. */
export const scopes = ['per-site', 'isomorphic', 'global', 'allocated'] as const;
/** Scales that scores are divided by before units of several sites stand in one list. */
export const scales = ['none', 'cost', 'site', 'structure'] as const;

export type Scope = (typeof scopes)[number];
export type Scale = (typeof scales)[number];

/** The options that every ranker has. */
export const rankingOptions = (scope: Scope, scale: Scale) =>
  z.object({
    scope: z
      .enum(scopes)
      .default(scope)
      .describe(
        'units are ranked within their site, among all of one kind, or all in one list; allocated: as many go of each site as lose least once they are reconstructed',
      ),
    units: unitsOption,
    scale: z
      .enum(scales)
      .default(scale)
      .describe(
        "global: scores as they are, by a unit's parameters, or standardised within its site or among all of its kind",
      ),
    calibration: z
      .int()
      .positive()
      .max(1_000_000)
      .default(256)
      .describe('examples that are looked at, where any are; labels only where a loss is'),
    measure: z
      .enum(errorMeasures)
      .default('loss')
      .describe(
        'errors of sites: what they cost the loss, or their share of what a site gives, without labels',
      ),
  });

export type RankingOptions = z.output<ReturnType<typeof rankingOptions>>;
