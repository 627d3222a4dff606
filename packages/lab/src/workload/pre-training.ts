import {
  type Model,
  type UniterConfig,
  UserError,
  asDense,
  denseConfigOf,
  preTraining,
  uniter,
  uniterConfig,
  uniterFamily,
} from '@winnow/core';
import {
  type TokenizedHiddenData,
  type Tokenizer,
  identifyImageTextDataset,
  namesHiddenData,
  openHiddenDataset,
  openTokenizer,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { regionsShape } from '../regions/options';
import { REGIONS_FILE } from '../regions/record';
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

const trainingShape = {
  alignment: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe('Weight of the transport between words and regions beside matching; default: 0.1'),
};
const trainingOptions = z.object(trainingShape);

/** Pre-training a UNITER on captions and regions: matching with alignment, hidden words, hidden regions. */
export const preTrainingKind: WorkloadKind = {
  name: 'pre-training',
  modelKinds: [uniterFamily.kind],
  defaultData: 'scenes-captions',
  fits: namesHiddenData,
  modelShape: regionModelShape,
  dataShape: regionsShape,
  givenShape: {},
  trainingShape,
  create: async (choice, options) => {
    const { model, tokenizer, context } = regionModelOptions.parse(options);
    const read = await newRegions(options);
    const opened = await openCaptions(choice, read, {
      ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
      ...(context === undefined ? {} : { context }),
    });
    const { context: longest, endToken, regions, maskToken } = opened.data;
    const { features } = read.tower.reader;
    const vocabulary = maskToken + 1;
    return {
      workload: workloadOn(opened, 'new'),
      model: uniter(uniterConfig(model, { vocabulary, context: longest, endToken, regions, features })),
    };
  },
  adapt: async (choice, given, options) => {
    const before = uniterIn(denseConfigOf(asDense(given).model));
    const opened = await openedCaptions(choice, given, before, options);
    return { workload: opened, model: uniter({ ...before, head: { kind: 'pre-training' } }) };
  },
  identify: (data) => identifyImageTextDataset(data),
  open: (choice, given, options) =>
    openedCaptions(choice, given, uniterIn(denseConfigOf(asDense(given).model)), options),
};

/** @throws {UserError} for another model, or one whose columns are shared. */
function uniterIn(config: ReturnType<typeof denseConfigOf>): UniterConfig {
  if (!uniterFamily.is(config)) throw new UserError(`pre-training is for a uniter, got a ${config.kind}`);
  return config;
}

interface OpenedCaptions extends ReadRegions {
  readonly data: TokenizedHiddenData;
}

/** @throws {UserError} where pictures are to be varied. */
async function openCaptions(
  choice: DataChoice,
  { tower, record }: ReadRegions,
  reading: { readonly tokenizer?: Tokenizer; readonly context?: number },
): Promise<OpenedCaptions> {
  const { imageSize, preparation, reader } = tower;
  const options = toldReading('pre-training', choice, { ...preparation, ...reading, imageSize });
  const { rule, seed } = record;
  return { data: await openHiddenDataset(choice.data, options, { rule, seed, reader }), tower, record };
}

async function openedCaptions(
  choice: DataChoice,
  given: OpenedModel,
  { text }: UniterConfig,
  options: unknown,
): Promise<Workload> {
  const tokenizer = await givenTokenizer(given);
  const opened = await openCaptions(choice, await givenRegions(given, options), {
    tokenizer,
    context: text.positions,
  });
  const workload = workloadOn(opened, 'given');
  return {
    ...workload,
    companions: { ...(await tokenizerConfiguration(given)), ...workload.companions },
  };
}

function workloadOn({ data, ...read }: OpenedCaptions, reader: ReaderKind): Workload {
  const own = withTexts(data, reader, undefined);
  const { features } = read.tower.reader;
  return {
    ...own,
    notesOn: async (splits) => [regionsNote(read, data.regions), ...(await own.notesOn(splits))],
    companions: { ...own.companions, [REGIONS_FILE]: `${JSON.stringify(read.record)}\n` },
    checkFit: (model: Model) => {
      const { text, regions, head } = uniterIn(denseConfigOf(model));
      if (head.kind !== 'pre-training')
        throw new UserError('the model has a head for answers: train it on with --task pre-training first');
      if (text.vocabulary <= data.maskToken)
        throw new UserError(
          `the model knows ${text.vocabulary} tokens, and needs one more than the ${data.maskToken} of its tokenizer for hidden words: begin with a new model`,
        );
      if (text.endToken !== data.endToken || text.positions < data.context)
        throw new UserError(
          `the model reads texts of ${text.positions} tokens that end with ${text.endToken}, but those of ${data.name} have ${data.context} and end with ${data.endToken}`,
        );
      if (regions.features !== features)
        throw new UserError(
          `the model reads regions of ${regions.features} numbers, but ${read.tower.told} says ${features}`,
        );
    },
    taskOf: (model, training) => {
      const { text, regions } = uniterIn(denseConfigOf(model));
      const { alignment } = trainingOptions.parse(training ?? {});
      return preTraining(model, {
        ...{ features: regions.features, places: regions.places, endToken: text.endToken },
        ...(alignment === undefined ? {} : { alignment }),
      });
    },
  };
}
