import {
  type Model,
  type RegionHead,
  type Task,
  UserError,
  asDense,
  denseConfigOf,
  counted,
} from '@winnow/core';
import {
  type RegionOptions,
  type TokenizedToldData,
  type Tokenizer,
  type ToldPictureOptions,
  openTokenizer,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { regionsShape } from '../regions/options';
import { REGIONS_FILE } from '../regions/record';
import { checkClassNames, checkTokens } from './fit';
import { rankOfMatching } from './one-stream';
import {
  type RegionFamily,
  type RegionModelConfig,
  headOf,
  newRegionModel,
  regionConfigIn,
  regionFamilies,
  regionShapeOf,
  withHead,
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

/** Texts about regions, whatever is asked of them. */
export type RegionData = TokenizedToldData<unknown> & {
  /** R: most regions of a picture. */
  readonly regions: number;
};

/** A task for models that read regions. */
export interface RegionTask<Data extends RegionData> extends Pick<
  WorkloadKind,
  'name' | 'defaultData' | 'fits' | 'identify'
> {
  /** Options of its data beside those of regions. */
  readonly dataShape?: WorkloadKind['dataShape'];
  readonly trainingShape?: WorkloadKind['trainingShape'];
  open(data: string, reading: ToldPictureOptions, regions: RegionOptions, options: unknown): Promise<Data>;
  headFor(data: Data): RegionHead;
  /** Rows of a new model's table of words. Default: one for each token. */
  vocabularyFor?(data: Data): number;
  /** @throws {UserError} where a model does not know all tokens of the data. */
  checkWords?(config: RegionModelConfig, data: Data): void;
  taskOf(model: Model, config: RegionModelConfig, data: Data, training: unknown): Task;
  /** Names of the answers, where they are the same for all data. */
  readonly classNames?: readonly string[];
  /** Lines on how it is scored. */
  readonly notes?: readonly string[];
  readonly scoring?: 'ranked';
}

interface Opened<Data> extends ReadRegions {
  readonly data: Data;
}

/** A task for a family of models that read regions, as the command line offers it: all that such tasks have in common. */
export function regionKind<Data extends RegionData>(
  own: RegionTask<Data>,
  family: RegionFamily,
): WorkloadKind {
  const openData = async (
    choice: DataChoice,
    { tower, record }: ReadRegions,
    reading: { readonly tokenizer?: Tokenizer; readonly context?: number },
    options: unknown,
  ): Promise<Opened<Data>> => {
    const { imageSize, preparation, reader } = tower;
    const told = toldReading(own.name, choice, { ...preparation, ...reading, imageSize });
    const { rule, seed } = record;
    return { data: await own.open(choice.data, told, { rule, seed, reader }, options), tower, record };
  };
  const opened = async (choice: DataChoice, given: OpenedModel, options: unknown) => {
    const tokenizer = await givenTokenizer(given);
    const { text } = regionConfigIn(denseConfigOf(asDense(given).model));
    const read = await givenRegions(given, options);
    const found = await openData(choice, read, { tokenizer, context: text.positions }, options);
    const workload = workloadOn(own, found, 'given');
    const companions = { ...(await tokenizerConfiguration(given)), ...workload.companions };
    return { data: found.data, workload: { ...workload, companions } };
  };
  return {
    name: own.name,
    modelKinds: [...regionFamilies],
    defaultData: own.defaultData,
    fits: (data) => own.fits(data),
    modelShape: regionModelShape,
    dataShape: { ...own.dataShape, ...regionsShape },
    givenShape: {},
    trainingShape: own.trainingShape ?? {},
    create: async (choice, options) => {
      const { model, tokenizer, context } = regionModelOptions.parse(options);
      const reading = {
        ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
        ...(context === undefined ? {} : { context }),
      };
      const found = await openData(choice, await newRegions(options), reading, options);
      const { vocabulary, context: longest, endToken, regions } = found.data;
      const words = own.vocabularyFor?.(found.data) ?? vocabulary;
      const { features } = found.tower.reader;
      const sizes = { vocabulary: words, context: longest, endToken, regions, features };
      return {
        workload: workloadOn(own, found, 'new'),
        model: newRegionModel(family, model, { ...sizes, head: own.headFor(found.data) }),
      };
    },
    adapt: async (choice, given, options, choiceOfHead) => {
      if (choiceOfHead === 'kept') checkClassNames(own, given);
      const before = regionConfigIn(denseConfigOf(asDense(given).model));
      if (before.kind !== family)
        throw new UserError(`--family ${family}: the model is a ${before.kind}, which goes on as such`);
      if (before.ties !== undefined)
        throw new UserError('a model whose columns are shared is not adapted: start from the dense one');
      const { data, workload } = await opened(choice, given, options);
      return {
        workload,
        model: withHead(before, own.headFor(data)),
        taken: (parameters) => new Map([...parameters, ...rankOfMatching(parameters)]),
      };
    },
    identify: (data, options) => own.identify(data, options),
    open: async (choice, given, options) => {
      checkClassNames(own, given);
      return (await opened(choice, given, options)).workload;
    },
  };
}

const headText = (head: RegionHead): string =>
  head.kind === 'answers' ? counted(head.answers, 'answer') : `a head for ${head.kind}`;

function workloadOn<Data extends RegionData>(
  own: RegionTask<Data>,
  { data, tower, record }: Opened<Data>,
  reader: ReaderKind,
): Workload {
  const { name, context, tokenizer, regions } = data;
  const read = withTexts(data, reader, undefined, own.scoring ?? 'alone');
  const { features } = tower.reader;
  const asked = own.headFor(data);
  return {
    ...read,
    ...(own.classNames === undefined ? {} : { classNames: own.classNames }),
    notesOn: async (splits) => [
      regionsNote({ tower, record }, regions),
      ...(own.notes ?? []),
      ...(await read.notesOn(splits)),
    ],
    companions: { ...read.companions, [REGIONS_FILE]: `${JSON.stringify(record)}\n` },
    checkFit: (model: Model) => {
      const config = regionConfigIn(denseConfigOf(model));
      const head = headOf(config);
      if (head.kind !== asked.kind)
        throw new UserError(
          `the model has ${headText(head)}, and ${own.name} needs ${headText(asked)}: train it on with --task ${own.name} first`,
        );
      checkTokens(config.text, tokenizer);
      own.checkWords?.(config, data);
      if (config.text.positions < context)
        throw new UserError(
          `the model reads texts of ${config.text.positions} tokens, but those of ${name} have ${context}`,
        );
      if (head.kind === 'answers' && asked.kind === 'answers' && head.answers !== asked.answers)
        throw new UserError(
          `the model has ${head.answers} answers, but ${name} asks for one of ${asked.answers}`,
        );
      const shape = regionShapeOf(config);
      if (shape.features !== features)
        throw new UserError(
          `the model reads regions of ${shape.features} numbers, but ${tower.told} says ${features}`,
        );
    },
    taskOf: (model, training) =>
      own.taskOf(model, regionConfigIn(denseConfigOf(model)), data, training ?? {}),
  };
}
