import { errorMeasures, reconstructionKinds } from '@winnow/core';
import { z } from 'zod';
import { imageSizeShape } from '../model-source/checkpoint-choices';
import { multipleOption } from '../options/budget';
import { askedUnits } from '../options/compress-options';
import type { OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { engineShape, executionShape, optimizationShape } from '../options/training';
import { classOrderShape } from '../workload/class-order';
import { labelledShape } from '../workload/pictures-read';

export type PlannedUnit = (typeof askedUnits)[number];

export const planOptions = z.object({
  data: pathOption('dataset')
    .optional()
    .describe('A dataset by name, or a folder or a table; default: the data of the run'),
  ...labelledShape,
  ...classOrderShape,
  ...imageSizeShape,
  budgetUnit: z.enum(askedUnits).default('compressible-parameters').describe('What budgets count'),
  build: z
    .string()
    .default('75%,50%,25%')
    .describe('Budgets that are built and scored, not only expected, separated by commas: 2x, 50% or 0.5'),
  split: z
    .enum(['validation', 'test', 'train'])
    .default('validation')
    .describe('The part of the data that models are scored on'),
  calibration: z
    .int()
    .positive()
    .max(1_000_000)
    .default(256)
    .describe('Training examples that errors are estimated and models reconstructed from'),
  measure: z
    .enum(errorMeasures)
    .default('loss')
    .describe(
      'Errors of sites: what they cost the loss, or their share of what a site gives, without labels',
    ),
  weigh: z
    .boolean()
    .default(true)
    .describe('Weigh kinds of layers by the loss that halving each alone adds; builds a model more for each'),
  reconstruct: z
    .enum(reconstructionKinds)
    .default('bases')
    .describe('How models are made up for what is cut'),
  multiple: multipleOption.default(1),
  latency: z.boolean().default(true).describe('Time layers by their width, and predict latencies'),
  out: pathOption('output')
    .min(1)
    .optional()
    .describe('Save the models that are built in this folder, each under what it keeps: kept-50'),
  resume: z
    .boolean()
    .default(false)
    .describe('Go on with a plan that was begun in --out and stopped or killed; layers are timed anew'),
  batchSize: optimizationShape.batchSize,
  seed: executionShape.seed,
  ...engineShape,
});
export type PlanOptions = z.output<typeof planOptions>;

/** The options of a plan. */
export const planGroup = { title: 'Options of plan', schema: planOptions } as const satisfies OptionGroup;
