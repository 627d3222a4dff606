import { UserError, sizeText } from '@winnow/core';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import { regionsIn } from '../regions/options';
import { REGIONS_FILE, type RegionsRecord, type TowerRecord, regionsBeside } from '../regions/record';
import { type OpenedTower, randomTower, recordedTower, towerOfModel } from '../regions/tower';
import { pictureShape } from './picture-shape';
import { models } from './sizes';

/** The options of a new model that reads regions. */
export const regionModelShape = {
  model: z
    .enum(models)
    .default('nano')
    .describe('Size of the trunk or the streams, whose widths are those of a DeiT'),
  ...pictureShape,
  tokenizer: pathOption('tokenizer')
    .min(1)
    .optional()
    .describe('A Hugging Face tokenizer; default: the words of the training texts'),
  context: z
    .int()
    .min(3)
    .optional()
    .describe('Tokens of the longest text; default: what the training texts need'),
};
export const regionModelOptions = z.object(regionModelShape);
/** The engine's, of which features have their last digits. */
const precisionOption = z.object({ precision: z.string().default('f32') });
const precisionIn = (options: unknown): string => precisionOption.parse(options).precision;

/** The tower that says what regions show, and which regions they are. */
export interface ReadRegions {
  readonly tower: OpenedTower;
  readonly record: RegionsRecord;
}

/** The regions of a new model. @throws {UserError} where pictures are to be of another size than the tower of a model takes. */
export async function newRegions(options: unknown): Promise<ReadRegions> {
  const { regions: rule = 'true', regionsSeed: seed = 0 } = regionsIn(options);
  const tower = await newTower(options, seed);
  return { tower, record: { rule, seed, tower: tower.record } };
}

async function newTower(options: unknown, seed: number): Promise<OpenedTower> {
  const { regionsFrom } = regionsIn(options);
  const { imageSize, patchSize } = regionModelOptions.parse(options);
  const precision = precisionIn(options);
  if (regionsFrom === undefined) return recordedTower(randomTower(imageSize, patchSize, seed), precision);
  const tower = await towerOfModel(regionsFrom, precision);
  const isDefault = sizeText(imageSize) === sizeText(regionModelOptions.parse({}).imageSize);
  if (!isDefault && sizeText(imageSize) !== sizeText(tower.imageSize))
    throw new UserError(
      `--image-size ${sizeText(imageSize)}: the tower of ${regionsFrom} takes pictures of ${sizeText(tower.imageSize)}: leave the option out`,
    );
  return tower;
}

/** The regions that a model was trained on, or those that options name. @throws {UserError} where they name another tower. */
export async function givenRegions(given: OpenedModel, options: unknown): Promise<ReadRegions> {
  const { regions, regionsSeed, regionsFrom } = regionsIn(options);
  const recorded = await regionsBeside(given);
  const precision = precisionIn(options);
  const open = (): Promise<OpenedTower> => {
    const own: TowerRecord | undefined = recorded?.tower;
    if (regionsFrom === undefined) {
      if (own !== undefined) return recordedTower(own, precision);
      throw new UserError(
        `the model has no ${REGIONS_FILE} beside it, which says by what tower its regions were read: say it with --regions-from`,
      );
    }
    if (own?.kind === 'random')
      throw new UserError(
        '--regions-from: the regions of this model were read by a tower with random weights: leave the option out',
      );
    return towerOfModel(regionsFrom, precision, own?.digest);
  };
  const tower = await open();
  return {
    tower,
    record: {
      rule: regions ?? recorded?.rule ?? 'true',
      seed: regionsSeed ?? recorded?.seed ?? 0,
      tower: tower.record,
    },
  };
}

/** Regions as a person reads them. */
const rules = {
  true: 'the boxes of objects',
  jittered: 'the boxes of objects, moved a little',
  crowded: 'the boxes of objects, moved a little, among boxes of nothing',
} as const;

/** A line on which regions a model reads. @param most Regions of a picture. */
export const regionsNote = ({ tower, record }: ReadRegions, most: number): string =>
  `regions: ${rules[record.rule]}, up to ${most} of a picture, of which ${tower.told} says ${tower.reader.features} numbers each`;
