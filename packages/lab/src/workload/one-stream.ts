import {
  type DenseConfig,
  type Model,
  UserError,
  type ViltConfig,
  asDense,
  denseConfigOf,
  familyOf,
  questions,
  segmenterEncoder,
  vilt,
  viltFamily,
  visionTowerConfig,
} from '@winnow/core';
import {
  type TokenizedQuestionData,
  type ToldPictureOptions,
  identifyQuestionDataset,
  namesQuestionData,
  openQuestionDataset,
  openTokenizer,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { checkChannels, checkTokens } from './fit';
import { pictureShape } from './picture-shape';
import { imagesOf, imagesShape } from './images';
import { picturesOf } from './prepared';
import { models } from './sizes';
import type { ReaderKind } from './text-notes';
import { withTexts } from './texts-read';
import type { Workload, WorkloadKind } from './workload';

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

/** Answering questions about pictures, by a ViLT with logits of all answers. */
export const oneStreamQuestionsKind: WorkloadKind = {
  name: 'questions',
  modelKinds: [viltFamily.kind],
  defaultData: 'scenes-questions',
  fits: namesQuestionData,
  modelShape,
  dataShape: imagesShape,
  givenShape: {},
  trainingShape: {},
  create: async (choice, options) => {
    const { model, imageSize, patchSize, tokenizer, context } = modelOptions.parse(options);
    const data = await openQuestions(choice, {
      ...imagesOf(options),
      imageSize,
      ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
      ...(context === undefined ? {} : { context }),
    });
    const vision = visionTowerConfig(model, { imageSize, patchSize, channels: data.channels });
    return { workload: workloadOn(data, 'new'), model: vilt(configFor(vision, textOf(data), data)) };
  },
  adapt: async (choice, opened, options) => {
    const before = denseConfigOf(asDense(opened).model);
    if (viltFamily.is(before) && before.ties === undefined) {
      const { data, workload } = await openedQuestions(choice, opened, before, options);
      const { kind: _, ...given } = before;
      return { workload, model: vilt({ ...given, ...configFor(before.vision, before.text, data) }) };
    }
    const vision = trunkIn(before);
    const data = await openQuestions(choice, {
      ...picturesOf(opened.preparation),
      ...imagesOf(options),
      imageSize: vision.imageSize,
    });
    return {
      workload: workloadOn(data, 'new', opened.preparation),
      model: vilt(configFor(vision, textOf(data), data)),
    };
  },
  identify: (data, options) => identifyQuestionDataset(data, imagesOf(options)),
  open: async (choice, opened, options) => {
    const config = denseConfigOf(asDense(opened).model);
    return (await openedQuestions(choice, opened, viltIn(config), options)).workload;
  },
};

function viltIn(config: DenseConfig): ViltConfig {
  if (viltFamily.is(config)) return config;
  throw new UserError(`questions by one stream need a vilt, got a ${config.kind}`);
}

/** The trunk that a model's vision tower becomes, as ViLT's began as a ViT. @throws {UserError} where it has none, or another kind. */
function trunkIn(config: DenseConfig): ViltConfig['vision'] {
  const { vision } = familyOf(config).towers(config);
  if (vision === undefined || config.ties !== undefined)
    throw new UserError(
      `questions by one stream need a vision tower that is stored whole, and a ${config.kind} has none`,
    );
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
      'questions by one stream take over a plain ViT: no norm before the blocks, no distillation token, no registers',
    );
  return segmenterEncoder({
    ...{ imageSize, patchSize, channels, distillation, embeddingNorm, patchBias, tower },
    ...(classToken === undefined ? {} : { classToken }),
  });
}

const countsOf = ({ kinds }: TokenizedQuestionData): readonly number[] =>
  kinds.map(({ answers }) => answers.length);

const textOf = ({ vocabulary, context, endToken }: TokenizedQuestionData): ViltConfig['text'] => ({
  vocabulary,
  context,
  endToken,
  types: 2, // as BERT has them, so that transformers reads the model
  normEpsilon: 1e-6, // the trunk's
});

function configFor(
  vision: ViltConfig['vision'],
  text: ViltConfig['text'],
  data: TokenizedQuestionData,
): ViltConfig {
  const answers = countsOf(data).reduce((sum, count) => sum + count, 0);
  return { kind: 'vilt', vision, text, modalities: 2, head: { kind: 'answers', answers } };
}

/** @throws {UserError} where pictures are to be varied. */
function openQuestions(
  { data, augmentation, eraseProbability, ...kept }: DataChoice,
  reading: ToldPictureOptions & ReturnType<typeof imagesOf>,
): Promise<TokenizedQuestionData> {
  if ((augmentation !== 'auto' && augmentation !== 'none') || (eraseProbability ?? 0) > 0) {
    throw new UserError(
      'questions: pictures are not varied, as what texts say of places would have to move along: leave out --augmentation and --erase-probability',
    );
  }
  return openQuestionDataset(data, { ...reading, ...picturesKept(kept, reading.imageSize) });
}

async function openedQuestions(
  choice: DataChoice,
  opened: OpenedModel,
  { vision, text }: ViltConfig,
  options: unknown,
) {
  const { preparation } = opened;
  const tokenizer = await givenTokenizer(opened);
  const data = await openQuestions(choice, {
    ...picturesOf(preparation),
    ...imagesOf(options),
    imageSize: vision.imageSize,
    tokenizer,
    context: text.context,
  });
  const workload = workloadOn(data, 'given', preparation);
  return {
    data,
    workload: {
      ...workload,
      companions: { ...(await tokenizerConfiguration(opened)), ...workload.companions },
    },
  };
}

function workloadOn(
  data: TokenizedQuestionData,
  reader: ReaderKind,
  preparation?: OpenedModel['preparation'],
): Workload {
  const { name, imageSize, channels, context, tokenizer, kinds } = data;
  const answers = countsOf(data);
  return {
    ...withTexts(data, reader, preparation),
    checkFit: (model: Model) => {
      const { vision, text, head } = viltIn(denseConfigOf(model));
      checkTokens(text, tokenizer);
      if (text.context < context)
        throw new UserError(
          `the model reads texts of ${text.context} tokens, but those of ${name} have ${context}`,
        );
      const asked = answers.reduce((sum, count) => sum + count, 0);
      if (head.kind !== 'answers' || head.answers !== asked) {
        throw new UserError(
          `the model has ${head.kind === 'answers' ? `${head.answers} answers` : `a head for ${head.kind}`}, but ${name} asks for one of ${asked}`,
        );
      }
      checkChannels(vision, data);
    },
    taskOf: (model) => {
      const { endToken } = viltIn(denseConfigOf(model)).text;
      return questions(model, {
        imageSize,
        channels,
        endToken,
        types: kinds.map(({ name: type }) => type),
        answers,
      });
    },
  };
}
