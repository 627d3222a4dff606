import {
  type PicturePreparation,
  type PictureSize,
  UserError,
  asDense,
  denseConfigOf,
  dualEncoder,
  retrieval,
  textTowerConfig,
  visionTowerConfig,
  dualEncoderFamily,
} from '@winnow/core';
import {
  type TokenizedImageTextData,
  type Tokenizer,
  identifyImageTextDataset,
  namesImageTextData,
  openImageTextDataset,
  openTokenizer,
} from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import { z } from 'zod';
import { tokenizerConfiguration } from '../model-source/companions';
import { type DataChoice, erasingOf } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { checkChannels, checkTokens, textFilling } from './fit';
import { imagesOf, imagesShape } from './images';
import { picturesOf } from './prepared';
import { models, textModels } from './sizes';
import { textShape } from './text-choices';
import type { ReaderKind } from './text-notes';
import { withTexts } from './texts-read';
import { pictureShape } from './picture-shape';
import type { Workload, WorkloadKind } from './workload';

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the vision tower, a DeiT'),
  textModel: z.enum(textModels).default('nano').describe("Size of the text tower, CLIP's text transformer"),
  ...pictureShape,
  projectionDim: z
    .int()
    .positive()
    .optional()
    .describe("Width of the embeddings; default: the vision tower's width"),
  tokenizer: textShape.tokenizer,
  context: z
    .int()
    .min(2)
    .optional()
    .describe('Tokens of the longest text; default: 77 with a tokenizer, else what the training texts need'),
};
const modelOptions = z.object(modelShape);

/** Finding the texts of a picture and the pictures of a text, by a dual encoder. */
export const retrievalKind: WorkloadKind = {
  name: 'retrieval',
  modelKinds: [dualEncoderFamily.kind],
  defaultData: 'emoji-names',
  fits: namesImageTextData,
  modelShape,
  dataShape: imagesShape,
  givenShape: {},
  trainingShape: {},
  create: async (choice, options) => {
    const { model, textModel, imageSize, patchSize, projectionDim, tokenizer, context } =
      modelOptions.parse(options);
    const data = await openPairs(choice, {
      ...imagesOf(options),
      imageSize,
      ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
      ...(context === undefined ? {} : { context }),
    });
    const vision = visionTowerConfig(model, { imageSize, patchSize, channels: data.channels });
    const text = textTowerConfig(textModel, data);
    const config = {
      kind: 'dual-encoder',
      projectionDim: projectionDim ?? vision.tower.embedDim,
      vision,
      text,
    } as const;
    return { workload: retrievalWorkload(data, 'new'), model: dualEncoder(config) };
  },
  adapt: async (choice, opened, options) => {
    const { kind, model } = asDense(opened);
    if (kind !== dualEncoderFamily.kind) throw notDual(kind);
    const workload = await retrievalKind.open(choice, opened, options);
    workload.checkFit(model);
    return { workload, model };
  },
  identify: (data, options) =>
    identifyImageTextDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: async (choice, opened, options) => {
    const dense = asDense(opened);
    if (!dualEncoderFamily.holds(dense)) throw notDual(dense.kind);
    const { vision, text } = dense.model.config;
    const tokenizer = await givenTokenizer(opened);
    const { preparation } = opened;
    const data = await openPairs(choice, {
      ...imagesOf(options),
      ...picturesOf(preparation),
      imageSize: vision.imageSize,
      tokenizer,
      context: text.context,
      ...textFilling(text),
    });
    const workload = retrievalWorkload(data, 'given', preparation);
    return { ...workload, companions: { ...(await tokenizerConfiguration(opened)), ...workload.companions } };
  },
};

const notDual = (kind: string): UserError => new UserError(`retrieval needs a dual encoder, got a ${kind}`);

export interface PairShape extends ReturnType<typeof picturesOf> {
  readonly imageSize: PictureSize;
  readonly tokenizer?: Tokenizer;
  readonly context?: number;
  readonly fillsContext?: boolean;
  readonly images?: string;
}

/** Opens pictures with texts as options and a model say. */
export function openPairs(
  { data, augmentation, eraseProbability, ...kept }: DataChoice,
  shape: PairShape,
): Promise<TokenizedImageTextData> {
  const options = {
    ...shape,
    ...erasingOf({ augmentation, eraseProbability }),
    ...picturesKept(kept, shape.imageSize),
  };
  return openImageTextDataset(data, augmentation === 'auto' ? options : { ...options, augmentation });
}

function retrievalWorkload(
  data: TokenizedImageTextData,
  reader: ReaderKind,
  preparation?: PicturePreparation,
): Workload {
  const { name, imageSize, channels, context, tokenizer } = data;
  return {
    ...withTexts(data, reader, preparation, 'ranked'),
    checkFit: (model) => {
      const config = denseConfigOf(model);
      if (!dualEncoderFamily.is(config)) throw notDual(config.kind);
      const { vision, text } = config;
      checkTokens(text, tokenizer);
      if (text.context < context) {
        throw new UserError(
          `the model reads texts of ${text.context} tokens, but those of ${name} have ${context}`,
        );
      }
      checkChannels(vision, data);
    },
    taskOf: (model) => {
      const config = denseConfigOf(model);
      const own = dualEncoderFamily.is(config) ? { endToken: config.text.endToken, loss: config.loss } : {};
      return retrieval(model, { imageSize, channels, ...own });
    },
  };
}
