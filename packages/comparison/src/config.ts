import { budgetUnits, durationOption } from '@winnow/core';
import type { Json } from '@winnow/core';
import { z } from 'zod';

const json: z.ZodType<Json> = z.json();
const options = z.record(z.string(), json);
const budget = z.union([z.string(), z.number()]);
const word = z.string().regex(/^[\w.-]+$/, 'expected letters, digits, dots, dashes or underscores');

const workload = z.strictObject({
  /** The name in tables. */
  name: word,
  /** Options of every run on it: task, data, … */
  shared: options.default({}),
  /** Options of the dense training alone: model, duration, … */
  dense: options.default({}),
  /** Options of every compression alone. */
  compress: options.default({}),
  /** Its own budgets, where its models reach others. */
  budgets: z.array(budget).min(1).exactOptional(),
});

const trackShape = {
  /** Options for the methods that have them: a length of the search, say. */
  options: options.default({}),
  /** Options of its runs, such as retrainLayerDecay; they win over the workload's. Who starts anew repairs nothing, and has none. */
  run: options.default({}),
  /** Where it is run; by default at every budget. */
  budgets: z.array(budget).min(1).exactOptional(),
};

const learningRates = z.array(z.number().positive()).min(1);

/** Changes to the runs of one contender alone. */
const ownShape = {
  /** Options of its runs, such as distill; they win over the track's. */
  run: options.default({}),
  /** Instead of those of everybody. */
  retrainLearningRates: learningRates.exactOptional(),
};

const entry = z.strictObject({
  method: z.string(),
  /** The name in tables; by default the method's name. */
  label: z.string().min(1).exactOptional(),
  /** The method's own options; they win over the track's. */
  options: options.default({}),
  /** Where it is compared; by default everywhere. */
  workloads: z.array(word).exactOptional(),
  tracks: z.array(z.enum(['equal-compute', 'recommended'])).exactOptional(),
  budgets: z.array(budget).exactOptional(),
  /** Its own budget, in the place of the table's: 1x for one that merges tokens and removes nothing. */
  budget: budget.exactOptional(),
  /** Retraining of the recommended track. */
  retrain: durationOption.exactOptional(),
  ...ownShape,
});

/** The config of a comparison, as people write it. */
export const comparisonConfig = z.strictObject({
  name: word,
  workloads: z.array(workload).min(1),
  methods: z
    .array(
      z.union([
        z
          .string()
          .transform((method) => ({ method }))
          .pipe(entry),
        entry,
      ]),
    )
    .min(1),
  budgets: z.array(budget).min(1).default(['2x', '4x', '10x']),
  budgetUnit: z.enum(budgetUnits).default('compressible-parameters'),
  seeds: z.array(z.int().nonnegative()).min(1).default([1, 2, 3]),
  tracks: z
    .strictObject({
      /** The same training compute for everybody, search and retraining together, in training of the dense model. */
      'equal-compute': z.strictObject({ ...trackShape, compute: durationOption }).exactOptional(),
      /** The search as its authors have it, then the same length of retraining. */
      recommended: z.strictObject({ ...trackShape, retrain: durationOption }).exactOptional(),
    })
    .refine((tracks) => Object.keys(tracks).length > 0, 'expected equal-compute, recommended or both'),
  /** Peak learning rates of the retraining that every contender may try; the validation split chooses. */
  retrainLearningRates: learningRates.default([5e-4]),
  /** Controls to leave out, by name. */
  without: z.array(z.string()).default([]),
  /** Changes to the runs of controls, by name. */
  controls: z.record(z.string(), z.strictObject(ownShape)).default({}),
  /** Confidence level of the intervals of paired differences. */
  confidence: z.number().gt(0).lt(1).default(0.95),
  /** The timing of the finished models: the least disturbed of so many rounds, each the median of so many passes. */
  latency: z
    .strictObject({
      rounds: z.int().min(1).max(100).default(5),
      passes: z.int().min(3).max(1000).default(30),
    })
    .prefault({}),
  /** The computing options of every run: engine, precision, threads, device. */
  run: options.default({}),
});

export type ComparisonConfig = z.output<typeof comparisonConfig>;
export type LatencyConfig = ComparisonConfig['latency'];
export type WorkloadConfig = ComparisonConfig['workloads'][number];
export type TrackName = keyof ComparisonConfig['tracks'];
export const trackNames = ['equal-compute', 'recommended'] as const satisfies readonly TrackName[];
