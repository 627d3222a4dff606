import { z } from 'zod';

/** How a ranking runs over the sites of a model. */
export const scopes = ['per-site', 'isomorphic', 'global'] as const;
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
      .describe('units are ranked within their site, among all of one kind, or all in one list'),
    scale: z
      .enum(scales)
      .default(scale)
      .describe(
        "global: scores as they are, by a unit's parameters, or standardised within its site or among all of its kind",
      ),
  });

export type RankingOptions = z.output<ReturnType<typeof rankingOptions>>;

/** The option of those that look at examples. */
export const calibrationShape = {
  calibration: z
    .int()
    .positive()
    .max(1_000_000)
    .default(256)
    .describe('examples that are looked at; labels only where a loss is'),
};
