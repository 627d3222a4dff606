import { type ZodType, z } from 'zod';
import { blipFamily } from './blip';
import { clipTextFamily } from './clip-text';
import { dualEncoderFamily } from './dual-encoder';
import type { Family } from './family';
import { glipFamily } from './glip';
import { lxmertFamily } from './lxmert';
import { mdetrFamily } from './mdetr';
import type { DenseConfig } from './model';
import { segmenterFamily } from './segmenter';
import { uniterFamily } from './uniter';
import { viltFamily } from './vilt';
import { visionTransformerFamily } from './vision-transformer';

/** All families that come with Winnow. */
export const families: readonly Family[] = [
  visionTransformerFamily,
  clipTextFamily,
  dualEncoderFamily,
  mdetrFamily,
  blipFamily,
  segmenterFamily,
  viltFamily,
  uniterFamily,
  lxmertFamily,
  glipFamily,
];

/**
 * The family of a configuration.
 * @throws {RangeError} when none of the table has its name.
 */
export function familyOf({ kind }: Pick<DenseConfig, 'kind'>, table: readonly Family[] = families): Family {
  const found = table.find((family) => family.kind === kind);
  if (found !== undefined) return found;
  const known = table.map((family) => family.kind).join(', ');
  throw new RangeError(`there is no family of models called ${kind}; known are ${known}`);
}

/** Reads the configuration of a model of any family of the table. */
export function configSchema(table: readonly Family[] = families): ZodType<DenseConfig> {
  const kinds = table.map(({ kind }) => kind);
  return z.looseObject({ kind: z.enum(kinds) }).transform((value, context): DenseConfig => {
    const read = familyOf(value, table).schema.safeParse(value);
    if (read.success) return read.data;
    for (const issue of read.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  });
}
