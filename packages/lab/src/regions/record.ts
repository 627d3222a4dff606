import { dirname, join } from 'node:path';
import { pictureSizeSchema } from '@winnow/core';
import { regionRules } from '@winnow/data';
import { readJsonIfThere } from '@winnow/formats';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';

/** Beside a saved model that reads regions: which ones it was trained on. */
export const REGIONS_FILE = 'regions.json';

const seed = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const towerRecord = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('random'),
    imageSize: pictureSizeSchema,
    patchSize: z.int().positive(),
    seed,
  }),
  z.strictObject({ kind: z.literal('model'), from: z.string().min(1), digest: sha256 }),
]);
/** The tower that says what regions show: with random weights, or that of a model. */
export type TowerRecord = z.output<typeof towerRecord>;

const regionsRecord = z.strictObject({ rule: z.enum(regionRules), seed, tower: towerRecord });
export type RegionsRecord = z.output<typeof regionsRecord>;

const format = { schema: regionsRecord, what: 'the regions that a model reads', mostBytes: 2 ** 16 };

/**
 * The regions that a saved model was trained on; undefined where nothing beside it says so.
 * @throws {FormatError} when the file is broken.
 */
export async function regionsBeside({
  tokenizerPath,
}: Pick<OpenedModel, 'tokenizerPath'>): Promise<RegionsRecord | undefined> {
  if (tokenizerPath === undefined) return undefined;
  return readJsonIfThere(join(dirname(tokenizerPath), REGIONS_FILE), format);
}
