import { type Model, UserError, asDense, denseConfigOf, regionQuestions, sizeText } from '@winnow/core';
import {
  type TokenizedRegionQuestionData,
  type Tokenizer,
  identifyQuestionDataset,
  namesQuestionData,
  openRegionQuestionDataset,
  openTokenizer,
} from '@winnow/data';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import type { DataChoice } from '../options/training';
import { regionsIn, regionsShape } from '../regions/options';
import { REGIONS_FILE, type RegionsRecord, type TowerRecord, regionsBeside } from '../regions/record';
import { type OpenedTower, randomTower, recordedTower, towerOfModel } from '../regions/tower';
import { checkTokens } from './fit';
import { pictureShape } from './picture-shape';
import {
  type RegionFamily,
  answering,
  newRegionModel,
  regionConfigIn,
  regionFamilies,
  regionShapeOf,
} from './region-models';
import { models } from './sizes';
import type { ReaderKind } from './text-notes';
import { withTexts } from './texts-read';
import { toldReading } from './told';
import type { Workload, WorkloadKind } from './workload';

const modelShape = {
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
const modelOptions = z.object(modelShape);
/** The engine's, of which features have their last digits. */
const precisionOption = z.object({ precision: z.string().default('f32') });
const precisionIn = (options: unknown): string => precisionOption.parse(options).precision;

/** Answering questions about regions of pictures, by a UNITER or an LXMERT with logits of all answers. */
export const regionQuestionsKind = (family: RegionFamily): WorkloadKind => ({
  name: 'questions',
  modelKinds: [...regionFamilies],
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  modelShape,
  dataShape: regionsShape,
  givenShape: {},
  trainingShape: {},
  create: async (choice, options) => {
    const { model, tokenizer, context } = modelOptions.parse(options);
    const { regions: rule = 'true', regionsSeed: seed = 0 } = regionsIn(options);
    const tower = await newTower(options, seed);
    const opened = await openQuestions(
      choice,
      tower,
      { rule, seed, tower: tower.record },
      {
        ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
        ...(context === undefined ? {} : { context }),
      },
    );
    const { vocabulary, context: longest, endToken, regions } = opened.data;
    const sizes = { vocabulary, context: longest, endToken, regions };
    const { features } = tower.reader;
    const answers = answersOf(opened.data);
    return {
      workload: workloadOn(opened, 'new'),
      model: newRegionModel(family, model, { ...sizes, features, answers }),
    };
  },
  adapt: async (choice, given, options) => {
    const before = regionConfigIn(denseConfigOf(asDense(given).model));
    if (before.kind !== family)
      throw new UserError(`--family ${family}: the model is a ${before.kind}, which goes on as such`);
    if (before.ties !== undefined)
      throw new UserError('a model whose columns are shared is not adapted: start from the dense one');
    const { data, workload } = await openedQuestions(choice, given, options);
    return { workload, model: answering(before, answersOf(data)) };
  },
  identify: (data) => identifyQuestionDataset(data),
  open: async (choice, given, options) => (await openedQuestions(choice, given, options)).workload,
});

/** @throws {UserError} where pictures are to be of another size than the tower of a model takes. */
async function newTower(options: unknown, seed: number): Promise<OpenedTower> {
  const { regionsFrom } = regionsIn(options);
  const { imageSize, patchSize } = modelOptions.parse(options);
  const precision = precisionIn(options);
  if (regionsFrom === undefined) return recordedTower(randomTower(imageSize, patchSize, seed), precision);
  const tower = await towerOfModel(regionsFrom, precision);
  const isDefault = sizeText(imageSize) === sizeText(modelOptions.parse({}).imageSize);
  if (!isDefault && sizeText(imageSize) !== sizeText(tower.imageSize))
    throw new UserError(
      `--image-size ${sizeText(imageSize)}: the tower of ${regionsFrom} takes pictures of ${sizeText(tower.imageSize)}: leave the option out`,
    );
  return tower;
}

/** The regions that a model was trained on, or those that options name. @throws {UserError} where they name another tower. */
async function givenTower(
  given: OpenedModel,
  options: unknown,
): Promise<{ tower: OpenedTower; record: RegionsRecord }> {
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

const answersOf = ({ kinds }: TokenizedRegionQuestionData): number =>
  kinds.reduce((sum, { answers }) => sum + answers.length, 0);

interface OpenedQuestions {
  readonly data: TokenizedRegionQuestionData;
  readonly tower: OpenedTower;
  readonly record: RegionsRecord;
}

/** @throws {UserError} where pictures are to be varied. */
async function openQuestions(
  choice: DataChoice,
  tower: OpenedTower,
  record: RegionsRecord,
  reading: { readonly tokenizer?: Tokenizer; readonly context?: number },
): Promise<OpenedQuestions> {
  const { imageSize, preparation, reader } = tower;
  const options = toldReading('questions', choice, { ...preparation, ...reading, imageSize });
  const { rule, seed } = record;
  const data = await openRegionQuestionDataset(choice.data, options, { rule, seed, reader });
  return { data, tower, record };
}

async function openedQuestions(choice: DataChoice, given: OpenedModel, options: unknown) {
  const { tokenizerPath } = given;
  if (tokenizerPath === undefined)
    throw new UserError(
      'the model has no tokenizer.json beside it: put the one that it was trained with there',
    );
  const { text } = regionConfigIn(denseConfigOf(asDense(given).model));
  const { tower, record } = await givenTower(given, options);
  const opened = await openQuestions(choice, tower, record, {
    tokenizer: await openTokenizer(tokenizerPath),
    context: text.positions,
  });
  const workload = workloadOn(opened, 'given');
  const companions = { ...(await tokenizerConfiguration(given)), ...workload.companions };
  return { data: opened.data, workload: { ...workload, companions } };
}

const rules = {
  true: 'the boxes of objects',
  jittered: 'the boxes of objects, moved a little',
  crowded: 'the boxes of objects, moved a little, among boxes of nothing',
} as const;

function workloadOn({ data, tower, record }: OpenedQuestions, reader: ReaderKind): Workload {
  const { name, context, tokenizer, kinds, regions } = data;
  const answers = kinds.map(({ answers: own }) => own.length);
  const own = withTexts(data, reader, undefined);
  const { features } = tower.reader;
  return {
    ...own,
    notesOn: async (splits) => [
      `regions: ${rules[record.rule]}, up to ${regions} of a picture, of which ${tower.told} says ${features} numbers each`,
      ...(await own.notesOn(splits)),
    ],
    companions: { ...own.companions, [REGIONS_FILE]: `${JSON.stringify(record)}\n` },
    checkFit: (model: Model) => {
      const config = regionConfigIn(denseConfigOf(model));
      checkTokens(config.text, tokenizer);
      if (config.text.positions < context)
        throw new UserError(
          `the model reads texts of ${config.text.positions} tokens, but those of ${name} have ${context}`,
        );
      const asked = answersOf(data);
      if (config.answers !== asked)
        throw new UserError(`the model has ${config.answers} answers, but ${name} asks for one of ${asked}`);
      const shape = regionShapeOf(config);
      if (shape.features !== features)
        throw new UserError(
          `the model reads regions of ${shape.features} numbers, but ${tower.told} says ${features}`,
        );
    },
    taskOf: (model) => {
      const config = regionConfigIn(denseConfigOf(model));
      return regionQuestions(model, {
        ...regionShapeOf(config),
        endToken: config.text.endToken,
        types: kinds.map(({ name: type }) => type),
        answers,
      });
    },
  };
}
