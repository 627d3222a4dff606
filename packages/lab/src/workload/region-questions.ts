import { type Model, UserError, asDense, denseConfigOf, regionQuestions } from '@winnow/core';
import {
  type TokenizedRegionQuestionData,
  type Tokenizer,
  identifyQuestionDataset,
  namesQuestionData,
  openRegionQuestionDataset,
  openTokenizer,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { regionsShape } from '../regions/options';
import { REGIONS_FILE } from '../regions/record';
import { checkTokens } from './fit';
import {
  type RegionFamily,
  answering,
  answersOf,
  newRegionModel,
  regionConfigIn,
  regionFamilies,
  regionShapeOf,
} from './region-models';
import {
  type ReadRegions,
  givenRegions,
  newRegions,
  regionModelOptions,
  regionModelShape,
  regionsNote,
} from './regions-read';
import type { ReaderKind } from './text-notes';
import { withTexts } from './texts-read';
import { toldReading } from './told';
import type { Workload, WorkloadKind } from './workload';

/** Answering questions about regions of pictures, by a UNITER or an LXMERT with logits of all answers. */
export const regionQuestionsKind = (family: RegionFamily): WorkloadKind => ({
  name: 'questions',
  modelKinds: [...regionFamilies],
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  modelShape: regionModelShape,
  dataShape: regionsShape,
  givenShape: {},
  trainingShape: {},
  create: async (choice, options) => {
    const { model, tokenizer, context } = regionModelOptions.parse(options);
    const read = await newRegions(options);
    const opened = await openQuestions(choice, read, {
      ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
      ...(context === undefined ? {} : { context }),
    });
    const { vocabulary, context: longest, endToken, regions } = opened.data;
    const sizes = { vocabulary, context: longest, endToken, regions };
    const { features } = read.tower.reader;
    const answers = answersAsked(opened.data);
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
    return { workload, model: answering(before, answersAsked(data)) };
  },
  identify: (data) => identifyQuestionDataset(data),
  open: async (choice, given, options) => (await openedQuestions(choice, given, options)).workload,
});

const answersAsked = ({ kinds }: TokenizedRegionQuestionData): number =>
  kinds.reduce((sum, { answers }) => sum + answers.length, 0);

interface OpenedQuestions extends ReadRegions {
  readonly data: TokenizedRegionQuestionData;
}

/** @throws {UserError} where pictures are to be varied. */
async function openQuestions(
  choice: DataChoice,
  { tower, record }: ReadRegions,
  reading: { readonly tokenizer?: Tokenizer; readonly context?: number },
): Promise<OpenedQuestions> {
  const { imageSize, preparation, reader } = tower;
  const options = toldReading('questions', choice, { ...preparation, ...reading, imageSize });
  const { rule, seed } = record;
  const data = await openRegionQuestionDataset(choice.data, options, { rule, seed, reader });
  return { data, tower, record };
}

async function openedQuestions(choice: DataChoice, given: OpenedModel, options: unknown) {
  const tokenizer = await givenTokenizer(given);
  const { text } = regionConfigIn(denseConfigOf(asDense(given).model));
  const opened = await openQuestions(choice, await givenRegions(given, options), {
    tokenizer,
    context: text.positions,
  });
  const workload = workloadOn(opened, 'given');
  const companions = { ...(await tokenizerConfiguration(given)), ...workload.companions };
  return { data: opened.data, workload: { ...workload, companions } };
}

function workloadOn({ data, tower, record }: OpenedQuestions, reader: ReaderKind): Workload {
  const { name, context, tokenizer, kinds, regions } = data;
  const answers = kinds.map(({ answers: own }) => own.length);
  const own = withTexts(data, reader, undefined);
  const { features } = tower.reader;
  return {
    ...own,
    notesOn: async (splits) => [regionsNote({ tower, record }, regions), ...(await own.notesOn(splits))],
    companions: { ...own.companions, [REGIONS_FILE]: `${JSON.stringify(record)}\n` },
    checkFit: (model: Model) => {
      const config = regionConfigIn(denseConfigOf(model));
      checkTokens(config.text, tokenizer);
      if (config.text.positions < context)
        throw new UserError(
          `the model reads texts of ${config.text.positions} tokens, but those of ${name} have ${context}`,
        );
      const asked = answersAsked(data);
      if (answersOf(config) !== asked)
        throw new UserError(
          `the model has ${answersOf(config)} answers, but ${name} asks for one of ${asked}`,
        );
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
