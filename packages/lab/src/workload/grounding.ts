import {
  type MdetrConfig,
  type PictureSize,
  UserError,
  asDense,
  denseConfigOf,
  dualEncoderFamily,
  fusionPresets,
  grounding,
  mdetr,
  mdetrFamily,
  textTowerConfig,
  visionTowerConfig,
} from '@winnow/core';
import {
  type TokenizedGroundingData,
  type Tokenizer,
  identifyGroundingDataset,
  namesGroundingData,
  openGroundingDataset,
  openTokenizer,
} from '@winnow/data';
import { z } from 'zod';
import { TOKENIZER_FILE, preprocessorFiles, tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import { pathOption } from '../options/path';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { checkChannels, checkTokens, textFilling } from './fit';
import { imagesOf, imagesShape } from './images';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import { models, textModels } from './sizes';
import { type ReaderKind, textNotes } from './text-notes';
import { type Workload, type WorkloadKind, sizesOf } from './workload';

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

/** Finding the object that a text means, by an MDETR. */
export const groundingKind: WorkloadKind = {
  name: 'grounding',
  modelKinds: [mdetrFamily.kind],
  defaultData: 'scenes-expressions',
  fits: namesGroundingData,
  modelShape,
  dataShape: imagesShape,
  givenShape: fusionShape,
  trainingShape: {},
  create: async (choice, options) => {
    const { model, textModel, fusion, imageSize, patchSize, tokenizer, context } =
      modelOptions.parse(options);
    const data = await openGroundings(choice, {
      ...imagesOf(options),
      imageSize,
      ...(tokenizer === undefined ? {} : { tokenizer: await openTokenizer(tokenizer) }),
      ...(context === undefined ? {} : { context }),
    });
    const text = textTowerConfig(textModel, data);
    const config: MdetrConfig = {
      kind: 'mdetr',
      vision: visionTowerConfig(model, { imageSize, patchSize, channels: data.channels }),
      // Without weights that learned to look back alone, every word may look at every other.
      text: { ...text, tower: { ...text.tower, causal: false } },
      fusion: fusionPresets[fusion],
    };
    return { workload: groundingWorkload(data, 'new'), model: mdetr(config) };
  },
  adapt: async (choice, opened, options) => {
    const { fusion } = fusionOptions.parse(options);
    const given = denseConfigOf(asDense(opened).model);
    const config = groundingConfig(given, fusion);
    const model = mdetr(config);
    const workload = await openedWorkload(choice, opened, config, options);
    workload.checkFit(model);
    return { workload, model };
  },
  identify: (data, options) =>
    identifyGroundingDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: async (choice, opened, options) => {
    const config = denseConfigOf(asDense(opened).model);
    if (!mdetrFamily.is(config)) throw notGrounding(config.kind);
    return openedWorkload(choice, opened, config, options);
  },
};

const notGrounding = (kind: string): UserError =>
  new UserError(`grounding needs an mdetr, or for --from a dual encoder, got a ${kind}`);

/** A model for grounding as it is, or the towers of a dual encoder under a new fusion. */
function groundingConfig(
  given: ReturnType<typeof denseConfigOf>,
  fusion: z.output<typeof fusionOptions>['fusion'],
): MdetrConfig {
  if (mdetrFamily.is(given)) return given;
  if (!dualEncoderFamily.is(given) || given.ties !== undefined) throw notGrounding(given.kind);
  const { vision, text } = given;
  if (vision.attentionPool !== undefined)
    throw new UserError('grounding reads patches: a tower that pools them cannot be taken over');
  return { kind: 'mdetr', vision, text, fusion: fusionPresets[fusion] };
}

async function openedWorkload(
  choice: DataChoice,
  opened: OpenedModel,
  { vision, text }: MdetrConfig,
  options: unknown,
): Promise<Workload> {
  const { tokenizerPath, preparation } = opened;
  if (tokenizerPath === undefined) {
    throw new UserError(
      'the model has no tokenizer.json (nor spiece.model) beside it: put the one that it was trained with there',
    );
  }
  const data = await openGroundings(choice, {
    ...imagesOf(options),
    ...picturesOf(preparation),
    imageSize: vision.imageSize,
    tokenizer: await openTokenizer(tokenizerPath),
    context: text.context,
    ...textFilling(text),
  });
  const workload = groundingWorkload(data, 'given', preparation);
  return { ...workload, companions: { ...(await tokenizerConfiguration(opened)), ...workload.companions } };
}

interface GroundingShape extends ReturnType<typeof picturesOf> {
  readonly imageSize: PictureSize;
  readonly tokenizer?: Tokenizer;
  readonly context?: number;
  readonly fillsContext?: boolean;
  readonly images?: string;
}

function openGroundings(
  { data, augmentation, eraseProbability, ...kept }: DataChoice,
  shape: GroundingShape,
): Promise<TokenizedGroundingData> {
  if ((augmentation !== 'auto' && augmentation !== 'none') || (eraseProbability ?? 0) > 0) {
    throw new UserError(
      'grounding: pictures are not varied, as their boxes would have to move along: leave out --augmentation and --erase-probability',
    );
  }
  return openGroundingDataset(data, { ...shape, ...picturesKept(kept, shape.imageSize) });
}

function groundingWorkload(
  data: TokenizedGroundingData,
  reader: ReaderKind,
  preparation?: OpenedModel['preparation'],
): Workload {
  const { name, imageSize, channels, context, tokenizer, train, validation, test } = data;
  return {
    train,
    validation,
    test,
    facts: { name, ...sizesOf(data) },
    origin: { data: name },
    notesOn: async (splits) => [
      ...data.notes,
      ...(splits.length > 1 ? await data.duplicates() : []),
      ...textNotes(data, splits, reader),
    ],
    companions: {
      [TOKENIZER_FILE]: `${JSON.stringify(tokenizer.file)}\n`,
      ...preprocessorFiles(preparation, imageSize),
    },
    checkFit: (model) => {
      const config = denseConfigOf(model);
      if (!mdetrFamily.is(config)) throw notGrounding(config.kind);
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
      const own = mdetrFamily.is(config) ? { endToken: config.text.endToken } : {};
      return grounding(model, { imageSize, channels, ...own });
    },
  };
}
