import {
  type DenseConfig,
  type HostTensor,
  type Model,
  type Task,
  UserError,
  type ViltConfig,
  type ViltHead,
  asDense,
  denseConfigOf,
  familyOf,
  segmenterEncoder,
  vilt,
  viltFamily,
  visionTowerConfig,
  counted,
} from '@winnow/core';
import { openTokenizer } from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import type { DataChoice } from '../options/training';
import type { BlipData, BlipReading, BlipTask } from './blip';
import { checkChannels, checkClassNames, checkTokens } from './fit';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import { models } from './sizes';
import type { ReaderKind } from './text-notes';
import { withTexts } from './texts-read';
import type { Taken, Workload, WorkloadKind } from './workload';

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the trunk, a DeiT'),
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

/** A task for a ViLT: pictures and texts as they are opened for any model, and a head. */
export interface ViltTask<Batch, Data extends BlipData<Batch>> extends Pick<
  BlipTask<Batch, Data>,
  'name' | 'defaultData' | 'fits' | 'dataShape' | 'identify' | 'open'
> {
  headFor(data: Data): ViltHead;
  taskOf(model: Model, config: ViltConfig, data: Data, training: unknown): Task;
  /** Names of the answers, where they are the same for all data. */
  readonly classNames?: readonly string[];
  /** Lines on how it is scored. */
  readonly notes?: readonly string[];
  readonly scoring?: 'ranked';
}

/** A task for a ViLT as the command line offers it: all that such tasks have in common. */
export function viltKind<Batch, Data extends BlipData<Batch>>(own: ViltTask<Batch, Data>): WorkloadKind {
  const opened = async (choice: DataChoice, model: OpenedModel, config: ViltConfig, options: unknown) => {
    const { preparation } = model;
    const tokenizer = await givenTokenizer(model);
    const reading: BlipReading = {
      ...picturesOf(preparation),
      imageSize: config.vision.imageSize,
      tokenizer,
      context: config.text.context,
    };
    const data = await own.open(choice, reading, options);
    const workload = workloadOn(own, data, 'given', preparation);
    const companions = { ...(await tokenizerConfiguration(model)), ...workload.companions };
    return { data, workload: { ...workload, companions } };
  };
  return {
    name: own.name,
    modelKinds: [viltFamily.kind],
    defaultData: own.defaultData,
    fits: (data) => own.fits(data),
    modelShape,
    dataShape: own.dataShape,
    givenShape: {},
    trainingShape: {},
    create: async (choice, options) => {
      const { model, imageSize, patchSize, tokenizer, context } = modelOptions.parse(options);
      const reading = {
        imageSize,
        ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
        ...(context === undefined ? {} : { context }),
      };
      const data = await own.open(choice, reading, options);
      const vision = visionTowerConfig(model, { imageSize, patchSize, channels: data.channels });
      return {
        workload: workloadOn(own, data, 'new'),
        model: vilt(newConfig(vision, data, own.headFor(data))),
      };
    },
    adapt: async (choice, given, options, choiceOfHead) => {
      const before = denseConfigOf(asDense(given).model);
      if (choiceOfHead === 'kept') checkClassNames(own, given);
      if (viltFamily.is(before) && before.ties === undefined) {
        const { data, workload } = await opened(choice, given, before, options);
        const head = own.headFor(data);
        const modalities = Math.max(before.modalities, modalitiesOf(head));
        return { workload, model: vilt({ ...before, modalities, head }), taken: takenAs(modalities) };
      }
      const vision = trunkIn(before);
      const reading = { ...picturesOf(given.preparation), imageSize: vision.imageSize };
      const data = await own.open(choice, reading, options);
      return {
        workload: workloadOn(own, data, 'new', given.preparation),
        model: vilt(newConfig(vision, data, own.headFor(data))),
      };
    },
    identify: (data, options) => own.identify(data, options),
    open: async (choice, given, options) => {
      checkClassNames(own, given);
      const config = viltIn(denseConfigOf(asDense(given).model), own.name);
      return (await opened(choice, given, config, options)).workload;
    },
  };
}

function viltIn(config: DenseConfig, task: string): ViltConfig {
  if (viltFamily.is(config)) return config;
  throw new UserError(`${task} by one stream needs a vilt, got a ${config.kind}`);
}

/** The trunk that a model's vision tower becomes, as ViLT's began as a ViT. @throws {UserError} where it has none, or another kind. */
function trunkIn(config: DenseConfig): ViltConfig['vision'] {
  const { vision } = familyOf(config).towers(config);
  if (vision === undefined || config.ties !== undefined)
    throw new UserError(`a ViLT needs a vision tower that is stored whole, and a ${config.kind} has none`);
  const {
    imageSize,
    patchSize,
    channels,
    distillation,
    embeddingNorm,
    patchBias,
    tower,
    classToken,
    registers,
  } = vision;
  if (embeddingNorm || distillation !== 'none' || registers !== undefined)
    throw new UserError(
      'a ViLT takes over a plain ViT: no norm before the blocks, no distillation token, no registers',
    );
  return segmenterEncoder({
    ...{ imageSize, patchSize, channels, distillation, embeddingNorm, patchBias, tower },
    ...(classToken === undefined ? {} : { classToken }),
  });
}

/** Rows for words and for each picture of an example. */
const modalitiesOf = ({ kind }: ViltHead): number => (kind === 'statements' ? 3 : 2);

/**
 * A second picture's row of modalities begins as the first one's, and the score of retrieval as that of matching (Kim et al., 2021, ViLT:
 * dandelin/ViLT, `vilt_module.py`).
 */
function takenAs(modalities: number): Taken {
  return (parameters) => {
    const taken = new Map(parameters);
    const rows = parameters.get('modalities');
    if (rows?.dtype === 'float32' && rows.shape[0] === 2 && modalities === 3) {
      const width = rows.shape[1] ?? 0;
      const values = new Float32Array(3 * width);
      values.set(rows.values);
      values.copyWithin(2 * width, width, 2 * width);
      taken.set('modalities', { dtype: 'float32', shape: [3, width], values });
    }
    for (const [path, tensor] of rankOfMatching(parameters)) taken.set(path, tensor);
    return taken;
  };
}

/** Takes the row of those that belong together from a head for matching, as a score for retrieval. */
export function rankOfMatching(parameters: ReadonlyMap<string, HostTensor>): ReadonlyMap<string, HostTensor> {
  const [weight, bias] = [parameters.get('matching.weight'), parameters.get('matching.bias')];
  if (weight?.dtype !== 'float32' || bias?.dtype !== 'float32' || parameters.has('rank.weight'))
    return new Map();
  const values = weight.values.filter((_, place) => place % 2 === 1);
  return new Map([
    ['rank.weight', { dtype: 'float32', shape: [values.length, 1], values }],
    ['rank.bias', { dtype: 'float32', shape: [1], values: bias.values.slice(1) }],
  ]);
}

const newConfig = <Batch>(
  vision: ViltConfig['vision'],
  { vocabulary, context, endToken }: BlipData<Batch>,
  head: ViltHead,
): ViltConfig => ({
  kind: 'vilt',
  vision,
  text: {
    vocabulary,
    context,
    endToken,
    types: 2, // as BERT has them, so that transformers reads the model
    normEpsilon: 1e-6, // the trunk's
  },
  modalities: modalitiesOf(head),
  head,
});

const headText = (head: ViltHead): string =>
  head.kind === 'answers' ? counted(head.answers, 'answer') : `a head for ${head.kind}`;

function workloadOn<Batch, Data extends BlipData<Batch>>(
  own: ViltTask<Batch, Data>,
  data: Data,
  reader: ReaderKind,
  preparation?: OpenedModel['preparation'],
): Workload {
  const { name, context, tokenizer } = data;
  const read = withTexts(data, reader, preparation, own.scoring ?? 'alone');
  return {
    ...read,
    ...(own.classNames === undefined ? {} : { classNames: own.classNames }),
    notesOn: async (splits) => [...(own.notes ?? []), ...(await read.notesOn(splits))],
    checkFit: (model: Model) => {
      const { vision, text, head } = viltIn(denseConfigOf(model), own.name);
      checkTokens(text, tokenizer);
      if (text.context < context)
        throw new UserError(
          `the model reads texts of ${text.context} tokens, but those of ${name} have ${context}`,
        );
      const asked = own.headFor(data);
      if (JSON.stringify(head) !== JSON.stringify(asked))
        throw new UserError(
          `the model has ${headText(head)}, but ${name} asks for ${asked.kind === 'answers' ? `one of ${asked.answers}` : headText(asked)}`,
        );
      checkChannels(vision, data);
    },
    taskOf: (model, training) =>
      own.taskOf(model, viltIn(denseConfigOf(model), own.name), data, training ?? {}),
  };
}
