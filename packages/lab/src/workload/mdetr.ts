import {
  type DenseConfig,
  type MdetrConfig,
  type Model,
  type QuestionsConfig,
  type Task,
  type TextTowerConfig,
  UserError,
  type VisionTowerConfig,
  asDense,
  denseConfigOf,
  dualEncoderFamily,
  fusionPresets,
  mdetr,
  mdetrFamily,
  visionTowerConfig,
} from '@winnow/core';
import { type DataIdentity, type TokenizedToldData, type ToldPictureOptions } from '@winnow/data';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { checkChannels, checkTokens } from './fit';
import { patchEncoderOf } from './patch-encoder';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import type { ToldExamples } from './said';
import { models } from './sizes';
import { givenTexts, newTextTower, newTexts, textOptions, textShape } from './text-choices';
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
  ...textShape,
  ...fusionShape,
  ...pictureShape,
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
  /** Shows what the task finds; left out where it does not find objects. */
  said?(data: ToldExamples): Required<Workload>['said'];
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
  const workloadOf = async (given: OpenedModel, data: Data, hasTexts: boolean): Promise<Workload> => {
    const workload = workloadOn(own, data, hasTexts ? 'given' : 'new', given.preparation);
    const companions = { ...(hasTexts ? await tokenizerConfiguration(given) : {}), ...workload.companions };
    return { ...workload, companions };
  };
  return {
    name: own.name,
    modelKinds: [mdetrFamily.kind],
    defaultData: own.defaultData,
    fits: (data) => own.fits(data),
    modelShape,
    dataShape: own.dataShape,
    givenShape: { ...textShape, ...fusionShape },
    trainingShape: {},
    create: async (choice, options) => {
      const { model, fusion, imageSize, patchSize, ...texts } = modelOptions.parse(options);
      const data = await openData(choice, { ...(await newTexts(texts)), imageSize }, options);
      const config: MdetrConfig = {
        kind: 'mdetr',
        vision: visionTowerConfig(model, { imageSize, patchSize, channels: data.channels }),
        text: newTextTower(texts, data),
        fusion: fusionPresets[fusion],
      };
      return {
        workload: workloadOn(own, data, 'new'),
        model: mdetr(withQuestions(config, own.questionsOf(data))),
      };
    },
    adapt: async (choice, given, options) => {
      const before = denseConfigOf(asDense(given).model);
      const texts = textOptions.parse(options);
      const towers = towersOf(before, own.name);
      const { text } = towers;
      const reading = {
        ...picturesOf(given.preparation),
        ...(text === undefined ? await newTexts(texts) : await givenTexts(given, text, texts)),
        imageSize: towers.vision.imageSize,
      };
      const data = await openData(choice, reading, options);
      const workload = await workloadOf(given, data, text !== undefined);
      const { fusion } = fusionOptions.parse(options);
      const config: MdetrConfig = mdetrFamily.is(before)
        ? before
        : { kind: 'mdetr', text: newTextTower(texts, data), ...towers, fusion: fusionPresets[fusion] };
      const model = mdetr(withQuestions(config, own.questionsOf(data)));
      workload.checkFit(model);
      return { workload, model };
    },
    identify: (data, options) => own.identify(data, options),
    open: async (choice, given, options) => {
      const config = denseConfigOf(asDense(given).model);
      if (!mdetrFamily.is(config)) throw notMdetr(own.name, config.kind);
      const reading = {
        ...picturesOf(given.preparation),
        ...(await givenTexts(given, config.text, {})),
        imageSize: config.vision.imageSize,
      };
      return workloadOf(given, await openData(choice, reading, options), true);
    },
  };
}

/** The configuration with the questions of the data; it keeps its own where the data ask none. */
const withQuestions = (config: MdetrConfig, questions: QuestionsConfig | undefined): MdetrConfig =>
  questions === undefined ? config : { ...config, questions };

const notMdetr = (task: string, kind: string): UserError =>
  new UserError(`${task} needs an mdetr, or for --from a model with a vision tower, got a ${kind}`);

/**
 * The towers of a model under a fusion: those of an MDETR or of a dual encoder, and the vision tower of any other, whose
 * texts, if it has any, are of another kind.
 * @throws {UserError} when there is none, or its columns are shared.
 */
function towersOf(given: DenseConfig, task: string): { vision: VisionTowerConfig; text?: TextTowerConfig } {
  const vision = patchEncoderOf(given, task);
  return mdetrFamily.is(given) || dualEncoderFamily.is(given) ? { vision, text: given.text } : { vision };
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
    ...(own.said === undefined
      ? {}
      : { said: own.said({ ...data, normalisation: picturesOf(preparation).normalisation }) }),
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
