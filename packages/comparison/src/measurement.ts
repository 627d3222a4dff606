import { ledgerEntrySchema } from '@winnow/core';
import { z } from 'zod';
import { trackNames } from './config';

const scores = z.record(z.string(), z.number());
/** Milliseconds of one forward pass of a batch. */
const latency = z.object({ batchSize: z.int(), p50Ms: z.number(), p95Ms: z.number() });

/** Which point of a comparison something is about. */
const place = {
  workload: z.string(),
  track: z.enum(trackNames),
  label: z.string(),
  method: z.string(),
  isControl: z.boolean(),
  /** Whether it is a control that is trained without a dense model. */
  startsAnew: z.literal(true).exactOptional(),
  budget: z.string(),
  seed: z.int(),
  learningRate: z.number(),
};

/** Number of examples in the split that scores are of. */
const testExamples = z.int().positive();

const size = {
  parameters: z.int(),
  macs: z.number(),
  /** Size of the weights file. */
  bytes: z.int(),
  /** Latencies of the compacted model, for each size of a batch; empty until they are measured. */
  latencies: z.array(latency),
};

const dense = z.object({
  job: z.string(),
  workload: z.string(),
  seed: z.int(),
  metric: z.string(),
  testExamples,
  scores,
  trainingMacs: z.number(),
  ledger: z.array(ledgerEntrySchema),
  ...size,
});

const measurement = z.object({
  ...place,
  job: z.string(),
  /** The score that models are compared by; the higher the better. */
  metric: z.string(),
  testExamples,
  /** On the test split: of the masked dense-shaped model, after the cut, after the retraining. */
  masked: scores,
  cut: scores,
  retrained: scores,
  /** On the test split, after the first epoch of the retraining; not known of one that is shorter. */
  afterOneEpoch: scores.exactOptional(),
  /** On the validation split, after the retraining: learning rates are chosen by it. */
  validation: scores.exactOptional(),
  /** Multiply–accumulates that search and retraining spent together, as the runner counted them. */
  trainingMacs: z.number(),
  wallMs: z.number(),
  peakMemoryBytes: z.number().exactOptional(),
  ledger: z.array(ledgerEntrySchema),
  ...size,
});

const failure = z.object({
  /** None for a run that could not begin because its dense model failed. */
  job: z.string().exactOptional(),
  workload: z.string(),
  seed: z.int(),
  /** Name of the thing that failed, in the words of the table. */
  what: z.string(),
  message: z.string(),
  /** None when it is the dense training. */
  point: z.object(place).exactOptional(),
});

/** Everything that came out of a comparison, before any statistics. */
export const outcomesSchema = z.object({
  dense: z.array(dense),
  measurements: z.array(measurement),
  failures: z.array(failure),
});
export type Outcomes = z.output<typeof outcomesSchema>;
export type DenseMeasurement = z.output<typeof dense>;
export type Measurement = z.output<typeof measurement>;
export type Failure = z.output<typeof failure>;
export type Latency = z.output<typeof latency>;
