import { type Decision, type DenseConfig, type Json, configSchema, decisionSchema } from '@winnow/core';
import { type ZodType, z } from 'zod';

/** A configuration whose masks, if it has some, stand in the weights file. */
export type StoredConfig = DenseConfig | StoredMaskedConfig;

export interface StoredMaskedConfig {
  readonly kind: 'masked';
  readonly model: DenseConfig;
}

export const isStoredMasked = (config: StoredConfig): config is StoredMaskedConfig =>
  config.kind === 'masked';

/** The content of `structure.json`: everything about a model but its weights. */
export interface StructureFile {
  readonly version: 1;
  /** The weights file that belongs to it. */
  readonly weights: { readonly sha256: string; readonly bytes: number };
  readonly model: StoredConfig;
  /** Names of the classes of a classifier, in the order of its columns. */
  readonly classNames?: readonly string[];
  /** How the model was cut, in units of the model it was cut from. */
  readonly decision?: Decision;
  /** The decision's masks are those of the weights file. */
  readonly decidedMasks?: 'as stored';
  /** Where it came from: free, for the reader. */
  readonly origin?: Json;
}

const denseConfig = configSchema();

/** Its masks stand in the weights file. */
const maskedConfig = z.strictObject({ kind: z.literal('masked'), model: denseConfig });

const storedConfig: ZodType<StoredConfig> = z
  .looseObject({ kind: z.string() })
  .transform((value, context): StoredConfig => {
    const read = (value.kind === 'masked' ? maskedConfig : denseConfig).safeParse(value);
    if (read.success) return read.data;
    for (const issue of read.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  });

export const structureFile: ZodType<StructureFile> = z.strictObject({
  version: z.literal(1, 'expected version 1; a newer Winnow may have written this file'),
  weights: z.strictObject({ sha256: z.hash('sha256'), bytes: z.int().nonnegative() }),
  model: storedConfig,
  classNames: z.array(z.string()).exactOptional(),
  decision: decisionSchema.exactOptional(),
  decidedMasks: z.literal('as stored').exactOptional(),
  origin: z.json().exactOptional(),
});
