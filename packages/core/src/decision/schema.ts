import { z } from 'zod';
import type { Decision } from './decision';

const index = z.int().nonnegative();
const count = z.int().positive();
const letters = z.string().regex(/^[kbp]+$/, 'expected letters k, b and p');

export const shareSchema = z.strictObject({
  kind: z.literal('share'),
  units: count,
  lender: z.string().exactOptional(),
  columns: z.record(z.string(), letters),
});

const keepSchema = z.strictObject({ kind: z.literal('keep'), kept: z.array(index).min(1), units: count });

const maskSchema = z.strictObject({
  kind: z.literal('mask'),
  shape: z.array(count),
  bits: z.base64(),
});

/** Reads a decision from plain data; `checkDecision` tells whether it fits a model. */
export const decisionSchema: z.ZodType<Decision> = z.strictObject({
  version: z.literal(1),
  sites: z.record(z.string(), z.discriminatedUnion('kind', [keepSchema, shareSchema])),
  masks: z.record(z.string(), maskSchema).exactOptional(),
});
