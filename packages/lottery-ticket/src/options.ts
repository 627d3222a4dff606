import { durationOption } from '@winnow/core';
import { z } from 'zod';
import { scopes } from './groups';
import { patternOf } from './pattern';
import { schedules } from './schedule';
import { disturbances } from './shuffle';

const trainingShape = {
  learningRate: z
    .number()
    .positive()
    .default(5e-4)
    .describe('peak learning rate of a round; it falls along a cosine'),
  weightDecay: z.number().nonnegative().default(0.05).describe("AdamW's weight decay in a round"),
  warmup: z.number().min(0).max(1).default(0.05).describe('share of a round with a rising learning rate'),
  clipNorm: z
    .number()
    .nonnegative()
    .default(1)
    .describe('largest norm of all gradients of a round together; 0 leaves them as they are'),
};

const maskShape = {
  scope: z
    .enum(scopes)
    .default('global')
    .describe(
      'within what weights are ranked: all of them, or the same share of each tower, layer or matrix',
    ),
  pattern: z
    .string()
    .refine((text) => text === 'none' || patternOf(text) !== undefined, 'expected none, or N:M like 2:4')
    .default('none')
    .describe(
      'none, or N:M: at most N of every M weights along the inputs stay (2:4 is what hardware takes)',
    ),
  projections: z
    .boolean()
    .default(true)
    .describe('prune the projections after the towers too, where the model has them'),
};

const startShape = {
  weights: z
    .enum(disturbances)
    .default('none')
    .describe("how the ticket's weights are disturbed before it is trained: a control"),
};

export const magnitudeTicketOptions = z.object({
  round: durationOption.default('10ep').describe('training in every round, before weights go'),
  schedule: z
    .enum(schedules)
    .default('original-fraction')
    .describe('whether a round takes a share of the original weights or of the survivors'),
  originalFraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe('share of the original weights that goes in a round of that schedule'),
  survivorFraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('share of the survivors that goes in a round of that schedule'),
  rewind: durationOption
    .default('0it')
    .describe('rewind to the weights after that much training; 0it: to where it started'),
  head: z
    .enum(['kept', 'reset'])
    .default('kept')
    .describe("whether the task's head goes on from round to round or starts again like the backbone"),
  ...maskShape,
  ...trainingShape,
  ...startShape,
});

export const oneShotOptions = z.object({
  round: durationOption
    .default('0it')
    .describe('training before the weights go; 0it: those of the model as it is'),
  rewind: magnitudeTicketOptions.shape.rewind,
  head: magnitudeTicketOptions.shape.head,
  ...maskShape,
  ...trainingShape,
  ...startShape,
});

export const randomTicketOptions = z.object({ ...maskShape, ...startShape });

export type MaskOptions = z.output<typeof randomTicketOptions>;
export type OneShotOptions = z.output<typeof oneShotOptions>;
export type MagnitudeTicketOptions = z.output<typeof magnitudeTicketOptions>;
