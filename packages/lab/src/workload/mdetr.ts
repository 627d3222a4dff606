import {
  type MdetrConfig,
  type Model,
  type QuestionsConfig,
  type Task,
  UserError,
  asDense,
  denseConfigOf,
  dualEncoderFamily,
  fusionPresets,
  mdetr,
  mdetrFamily,
  textTowerConfig,
  visionTowerConfig,
} from '@winnow/core';
import {
  type DataIdentity,
  type TokenizedToldData,
  type ToldPictureOptions,
  openTokenizer,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { checkChannels, checkTokens, textFilling } from './fit';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import { models, textModels } from './sizes';
import type { ReaderKind } from './text-notes';
import { withTexts } from './texts-read';
import type { Workload, WorkloadKind } from './workload';

const fusionShape = {
  fusion: z
    .enum(['nano', 'published'])
    .default('nano')
    .describe("Size of the fusion that finds objects: nano, or MDETR's published one"),
};
const fusionOptions = z.object(fusionShape);

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the vision tower, a DeiT'),
  textModel: z.enum(textModels).default('nano').describe("Size of the text tower, CLIP's text transformer"),
  ...fusionShape,
  ...pictureShape,
  tokenizer: pathOption('tokenizer')
    .min(1)
    .optional()
    .describe("CLIP's vocabulary file or a Hugging Face tokenizer; default: the words of the training texts"),
  context: z
    .int()
    .min(3)
    .optional()
    .describe('Tokens of the longest text; default: 77 with a tokenizer, else what the training texts need'),
};
const modelOptions = z.object(modelShape);

/** A task for an MDETR. */
export interface MdetrTask<Batch, Data extends TokenizedToldData<Batch>> extends Pick<
  WorkloadKind,
  'name' | 'defaultData' | 'fits' | 'dataShape'
> {
  identify(data: string, options: unknown): Promise<DataIdentity>;
  /** @param options Those of `dataShape`, others may stand beside them. */
  open(data: string, reading: ToldPictureOptions, options: unknown): Promise<Data>;
  /** Questions that a model has to answer for these data; none where it only finds objects. */
  questionsOf(data: Data): QuestionsConfig | undefined;
  taskOf(model: Model, config: MdetrConfig, data: Data): Task;
}

/** A task for an MDETR as the command line offers it: all that such tasks have in common. */
export function mdetrKind<Batch, Data extends TokenizedToldData<Batch>>(
  own: MdetrTask<Batch, Data>,
): WorkloadKind {
  const openData = (
    { data, augmentation, eraseProbability, ...kept }: DataChoice,
    reading: ToldPictureOptions,
    options: unknown,
  ): Promise<Data> => {
    if ((augmentation !== 'auto' && augmentation !== 'none') || (eraseProbability ?? 0) > 0) {
      throw new UserError(
        `${own.name}: pictures are not varied, as their boxes would have to move along: leave out --augmentation and --erase-probability`,
      );
    }
    return own.open(data, { ...reading, ...picturesKept(kept, reading.imageSize) }, options);
  };
  const opened = async (
    choice: DataChoice,
    given: OpenedModel,
    { vision, text }: MdetrConfig,
    options: unknown,
  ) => {
    const { preparation } = given;
    const tokenizer = await givenTokenizer(given);
    const data = await openData(
      choice,
      {
        ...picturesOf(preparation),
        imageSize: vision.imageSize,
        tokenizer,
        context: text.context,
        ...textFilling(text),
      },
      options,
    );
    const workload = workloadOn(own, data, 'given', preparation);
    const companions = { ...(await tokenizerConfiguration(given)), ...workload.companions };
    return { data, workload: { ...workload, companions } };
  };
  return {
    name: own.name,
    modelKinds: [mdetrFamily.kind],
    defaultData: own.defaultData,
    fits: (data) => own.fits(data),
    modelShape,
    dataShape: own.dataShape,
    givenShape: fusionShape,
    trainingShape: {},
    create: async (choice, options) => {
      const { model, textModel, fusion, imageSize, patchSize, tokenizer, context } =
        modelOptions.parse(options);
      const reading = {
        imageSize,
        ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
        ...(context === undefined ? {} : { context }),
      };
      const data = await openData(choice, reading, options);
      const text = textTowerConfig(textModel, data);
      const config: MdetrConfig = {
        kind: 'mdetr',
        vision: visionTowerConfig(model, { imageSize, patchSize, channels: data.channels }),
        // Without weights that learned to look back alone, every word may look at every other.
        text: { ...text, tower: { ...text.tower, causal: false } },
        fusion: fusionPresets[fusion],
      };
      return {
        workload: workloadOn(own, data, 'new'),
        model: mdetr(withQuestions(config, own.questionsOf(data))),
      };
    },
    adapt: async (choice, given, options) => {
      const { fusion } = fusionOptions.parse(options);
      const before = groundingConfig(denseConfigOf(asDense(given).model), fusion, own.name);
      const { data, workload } = await opened(choice, given, before, options);
      const model = mdetr(withQuestions(before, own.questionsOf(data)));
      workload.checkFit(model);
      return { workload, model };
    },
    identify: (data, options) => own.identify(data, options),
    open: async (choice, given, options) => {
      const config = denseConfigOf(asDense(given).model);
      if (!mdetrFamily.is(config)) throw notMdetr(own.name, config.kind);
      return (await opened(choice, given, config, options)).workload;
    },
  };
}

/** The configuration with the questions of the data; it keeps its own where the data ask none. */
const withQuestions = (config: MdetrConfig, questions: QuestionsConfig | undefined): MdetrConfig =>
  questions === undefined ? config : { ...config, questions };

const notMdetr = (task: string, kind: string): UserError =>
  new UserError(`${task} needs an mdetr, or for --from a dual encoder, got a ${kind}`);

/** A model for grounding as it is, or the towers of a dual encoder under a new fusion. */
function groundingConfig(
  given: ReturnType<typeof denseConfigOf>,
  fusion: z.output<typeof fusionOptions>['fusion'],
  task: string,
): MdetrConfig {
  if (given.ties === undefined && mdetrFamily.is(given)) return given;
  if (!dualEncoderFamily.is(given) || given.ties !== undefined) throw notMdetr(task, given.kind);
  const { vision, text } = given;
  if (vision.attentionPool !== undefined)
    throw new UserError(`${task} reads patches: a tower that pools them cannot be taken over`);
  return { kind: 'mdetr', vision, text, fusion: fusionPresets[fusion] };
}

function workloadOn<Batch, Data extends TokenizedToldData<Batch>>(
  own: MdetrTask<Batch, Data>,
  data: Data,
  reader: ReaderKind,
  preparation?: OpenedModel['preparation'],
): Workload {
  const { name, context, tokenizer } = data;
  const configOf = (model: Model): MdetrConfig => {
    const config = denseConfigOf(model);
    if (!mdetrFamily.is(config)) throw notMdetr(own.name, config.kind);
    return config;
  };
  return {
    ...withTexts(data, reader, preparation),
    checkFit: (model) => {
      const { vision, text, questions } = configOf(model);
      checkTokens(text, tokenizer);
      if (text.context < context) {
        throw new UserError(
          `the model reads texts of ${text.context} tokens, but those of ${name} have ${context}`,
        );
      }
      const asked = own.questionsOf(data);
      if (asked !== undefined && questions?.answers.join() !== asked.answers.join()) {
        throw new UserError(
          `the model answers ${questions === undefined ? 'no questions' : `questions with ${questions.answers.join(', ')} answers`}, but ${name} asks such with ${asked.answers.join(', ')}`,
        );
      }
      checkChannels(vision, data);
    },
    taskOf: (model) => own.taskOf(model, configOf(model), data),
  };
}
