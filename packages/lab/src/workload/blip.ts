import {
  type Blip,
  type BlipConfig,
  type BlipPurpose,
  type Model,
  type PicturePreparation,
  type PictureSize,
  type Splits,
  type Task,
  type TextStackPreset,
  UserError,
  asDense,
  blip,
  blipFamily,
  denseConfigOf,
  textStackConfig,
  visionTowerConfig,
} from '@winnow/core';
import { type DataIdentity, type Tokenizer, openTokenizer } from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { checkChannels, checkTokens } from './fit';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import type { ToldExamples } from './said';
import { models } from './sizes';
import { textShape } from './text-choices';
import type { ReaderKind, TextsToRead } from './text-notes';
import { withTexts } from './texts-read';
import type { Workload, WorkloadKind } from './workload';

const stacks = ['nano', 'tiny', 'small', 'base'] as const satisfies readonly TextStackPreset[];

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the vision tower, a DeiT'),
  textModel: z
    .enum(stacks)
    .default('nano')
    .describe('Size of the text stack with cross-attention; base is the published one of BLIP'),
  textNorm: z
    .enum(['before', 'after'])
    .default('before')
    .describe('Norms of the text stack: before its layers, or after them as in BERT'),
  ...pictureShape,
  tokenizer: textShape.tokenizer,
  context: textShape.context,
};
const modelOptions = z.object(modelShape);

/** Data for a BLIP: pictures and texts, whichever way they belong together. */
export interface BlipData<Batch> extends Splits<Batch>, TextsToRead {
  readonly name: string;
  readonly imageSize: PictureSize;
  readonly channels: number;
  readonly tokenizer: Tokenizer;
  readonly vocabulary: number;
  readonly endToken: number;
  readonly notes: readonly string[];
  /** Tokens of the longest answer, where questions are answered in words. */
  readonly answerContext?: number;
  duplicates(): Promise<readonly string[]>;
}

/** The reading of data for a model. */
export interface BlipReading extends ReturnType<typeof picturesOf> {
  readonly imageSize: PictureSize;
  readonly tokenizer?: Tokenizer;
  readonly context?: number;
}

/** A task for a BLIP. */
export interface BlipTask<Batch, Data extends BlipData<Batch>> extends Pick<
  WorkloadKind,
  'name' | 'defaultData' | 'fits' | 'dataShape'
> {
  readonly purpose: BlipPurpose;
  identify(data: string, options: unknown): Promise<DataIdentity>;
  open(choice: DataChoice, reading: BlipReading, options: unknown): Promise<Data>;
  readonly trainingShape?: WorkloadKind['trainingShape'];
  /** Puts an answer into words. */
  said?(data: ToldExamples): Required<Workload>['said'];
  /** @param training The options of `trainingShape`, others may stand beside them. */
  taskOf(model: Blip, data: Data, training: unknown): Task;
}

/** A task for a BLIP as the command line offers it: all that such tasks have in common. */
export function blipKind<Batch, Data extends BlipData<Batch>>(own: BlipTask<Batch, Data>): WorkloadKind {
  const given = async (choice: DataChoice, opened: OpenedModel, options: unknown) => {
    const config = ownConfig(asDense(opened).model, own);
    const { preparation } = opened;
    const tokenizer = await givenTokenizer(opened);
    const read = config.encoder ?? config.decoder;
    const reading = {
      ...picturesOf(preparation),
      imageSize: config.vision.imageSize,
      tokenizer,
      ...(read === undefined ? {} : { context: read.positions }),
    };
    const workload = workloadOn(own, await own.open(choice, reading, options), 'given', preparation);
    const companions = { ...(await tokenizerConfiguration(opened)), ...workload.companions };
    return { workload: { ...workload, companions }, config };
  };
  return {
    name: own.name,
    modelKinds: [blipFamily.kind],
    defaultData: own.defaultData,
    fits: (data) => own.fits(data),
    modelShape,
    dataShape: own.dataShape,
    givenShape: {},
    trainingShape: own.trainingShape ?? {},
    create: async (choice, options) => {
      const { tokenizer, context, imageSize, ...sizes } = modelOptions.parse(options);
      const data = await own.open(
        choice,
        {
          imageSize,
          ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
          ...(context === undefined ? {} : { context }),
        },
        options,
      );
      return {
        workload: workloadOn(own, data, 'new'),
        model: blip(newConfig(own.purpose, data, { ...sizes, imageSize })),
      };
    },
    adapt: async (choice, opened, options) => {
      const { workload, config } = await given(choice, opened, options);
      const model = blip(config);
      workload.checkFit(model);
      return { workload, model };
    },
    identify: (data, options) => own.identify(data, options),
    open: async (choice, opened, options) => (await given(choice, opened, options)).workload,
  };
}

/** @throws {UserError} when the model is none of the task's. */
function ownConfig(
  model: Pick<Model, 'config'>,
  { name, purpose }: { readonly name: string; readonly purpose: BlipPurpose },
): BlipConfig {
  const config = denseConfigOf(model);
  if (!blipFamily.is(config)) throw new UserError(`${name} needs a blip, got a ${config.kind}`);
  if (config.purpose === purpose) return config;
  throw new UserError(`${name} needs a blip for ${purpose}, got one for ${config.purpose}`);
}

type Sizes = Omit<z.output<typeof modelOptions>, 'tokenizer' | 'context'>;

function newConfig<Batch>(
  purpose: BlipPurpose,
  { tokenizer, vocabulary, endToken, context, channels, answerContext = context }: BlipData<Batch>,
  { model, textModel, textNorm, imageSize, patchSize }: Sizes,
): BlipConfig {
  const { startToken } = tokenizer;
  if (startToken === undefined)
    throw new UserError('a blip needs a tokenizer whose texts have a start token, from which it writes on');
  const vision = visionTowerConfig(model, { imageSize, patchSize, channels });
  const grounds = purpose === 'retrieval';
  // A token of its own begins texts that are read about pictures, where they are also read by themselves.
  const words = { vocabulary: grounds ? vocabulary + 1 : vocabulary, norm: textNorm };
  const encoder = textStackConfig(textModel, {
    ...words,
    context,
    memories: purpose === 'statements' ? 2 : 1,
  });
  const decoder = textStackConfig(textModel, {
    ...words,
    context: purpose === 'captions' ? context : answerContext,
  });
  return {
    kind: 'blip',
    purpose,
    vision,
    tokens: { start: startToken, end: endToken, ...(grounds ? { ground: vocabulary } : {}) },
    ...(purpose === 'captions' ? {} : { encoder }),
    ...(purpose === 'captions' || purpose === 'questions' ? { decoder } : {}),
    ...(purpose === 'retrieval'
      ? { embeddings: { projectionDim: Math.min(256, encoder.embedDim), temperature: 'learned' } }
      : {}),
  };
}

function workloadOn<Batch, Data extends BlipData<Batch>>(
  own: BlipTask<Batch, Data>,
  data: Data,
  reader: ReaderKind,
  preparation?: PicturePreparation,
): Workload {
  const { name, context, tokenizer } = data;
  return {
    ...withTexts(data, reader, preparation, own.purpose === 'retrieval' ? 'ranked' : 'alone'),
    ...(own.said === undefined
      ? {}
      : { said: own.said({ ...data, normalisation: picturesOf(preparation).normalisation }) }),
    checkFit: (model) => {
      const { vision, encoder, decoder, tokens } = ownConfig(model, own);
      checkChannels(vision, data);
      for (const [stack, longest] of [
        [encoder, context],
        [decoder, encoder === undefined ? context : (data.answerContext ?? 0)],
      ] as const) {
        if (stack === undefined) continue;
        checkTokens({ vocabulary: stack.vocabulary, endToken: tokens.end }, tokenizer);
        if (stack.positions < longest) {
          throw new UserError(
            `the model has places for texts of ${stack.positions} tokens, but those of ${name} have ${longest}`,
          );
        }
      }
    },
    taskOf: (model, training) => own.taskOf(blip(ownConfig(model, own)), data, training ?? {}),
  };
}
