import { durationOption, unitsOption } from '@winnow/core';
import { z } from 'zod';
import { progressSchedules } from './schedule';

const searchShape = {
  search: durationOption.default('10ep').describe('how long to search'),
  learningRate: z
    .number()
    .positive()
    .default(2e-4)
    .describe('learning rate of the search, constant after the warm-up'),
  warmup: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('share of the search with a rising learning rate; a pre-trained model wants some'),
  weightDecay: z.number().nonnegative().default(0.05).describe("AdamW's weight decay during the search"),
  layerDecay: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('each layer learns so many times as fast in the search as the one above it'),
};

/** w_a and w_m of Eq. 3. UPop's standardising removes their constant gradient, so by default it does not pay for them. */
const penaltyShape = (attention: number, ffn: number) => ({
  attentionPenalty: z
    .number()
    .nonnegative()
    .default(attention)
    .describe('w_a: weight of attention masks in the loss'),
  ffnPenalty: z.number().nonnegative().default(ffn).describe('w_m: weight of FFN masks in the loss'),
});

const roundsShape = {
  rounds: z.int().positive().default(5).describe('rounds in which units are removed, an equal share in each'),
};

export const trainedMaskOptions = z.object({ ...searchShape, ...penaltyShape(2e-4, 5e-5) });

export const upopOptions = z.object({
  ...searchShape,
  ...penaltyShape(0, 0),
  schedule: z
    .enum(progressSchedules)
    .default('cosine')
    .describe('how the pruned share grows over the search'),
  interval: z
    .int()
    .nonnegative()
    .default(0)
    .describe('iterations between mask updates; 0: one for each 1 % of p'),
  standardize: z
    .enum(['accumulated', 'each-step'])
    .default('accumulated')
    .describe(
      'standardise the accumulated gradients (published code) or every step before summing (Algorithm 1)',
    ),
});

export const straightThroughOptions = z.object({
  ...searchShape,
  ...penaltyShape(2e-4, 5e-5),
  ...roundsShape,
});

export const magnitudeOptions = z.object({
  ...searchShape,
  search: durationOption
    .default('0it')
    .describe('training between the rounds; 0it removes all units at once'),
  ...roundsShape,
  units: unitsOption,
});

export const randomOptions = z.object({ units: unitsOption });
export const fromScratchOptions = z.object({});

/** The options of every search with trained masks. */
export type SearchOptions = z.output<typeof trainedMaskOptions>;
export type UPopOptions = z.output<typeof upopOptions>;
export type StraightThroughOptions = z.output<typeof straightThroughOptions>;
export type MagnitudeOptions = z.output<typeof magnitudeOptions>;
export type RandomOptions = z.output<typeof randomOptions>;
