import { z } from 'zod';
import { blocksSchema } from './blocks';
import type { Decision, SiteDecision } from './decision';
import type { DecisionKind } from './kind';
import { decisionKinds, kindOf } from './table';

const maskSchema = z.strictObject({
  kind: z.literal('mask'),
  shape: z.array(z.int().positive()),
  bits: z.base64(),
});

/** Reads a decision about a site, of any kind of the table. */
const siteSchema = (table: readonly DecisionKind[]): z.ZodType<SiteDecision> =>
  z.looseObject({ kind: z.enum(table.map(({ kind }) => kind)) }).transform((value, context): SiteDecision => {
    const read = kindOf(value, table).schema.safeParse(value);
    if (read.success) return read.data;
    for (const issue of read.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  });

/** Reads a decision from plain data, with sites of any kind of the table; `checkDecision` tells whether it fits a model. */
export const decisionSchemaOf = (table: readonly DecisionKind[]): z.ZodType<Decision> =>
  z.strictObject({
    version: z.literal(1),
    sites: z.record(z.string(), siteSchema(table)),
    masks: z.record(z.string(), maskSchema).exactOptional(),
    blocks: blocksSchema.exactOptional(),
  });

/** Reads a decision from plain data, of the kinds that come with Winnow. */
export const decisionSchema: z.ZodType<Decision> = decisionSchemaOf(decisionKinds);
