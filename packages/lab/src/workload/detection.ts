import {
  type DenseConfig,
  type DetectionHeadConfig,
  type GlipConfig,
  type Model,
  UserError,
  asDense,
  denseConfigOf,
  detection,
  detectionHeadPresets,
  detectionLevels,
  familyOf,
  glip,
  glipFamily,
  levelsOf,
  regionAnchors,
  visionTowerConfig,
  counted,
} from '@winnow/core';
import {
  type DetectionData,
  type DetectionDataOptions,
  identifyDetectionDataset,
  namesDetectionData,
  openDetectionDataset,
} from '@winnow/data';
import { z } from 'zod';
import { TOKENIZER_FILE, preprocessorFiles, tokenizerConfiguration } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { checkChannels, checkTokens } from './fit';
import { imagesOf, imagesShape } from './images';
import { patchEncoderOf } from './patch-encoder';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import { models } from './sizes';
import { givenTexts, newTextTower, newTexts, textOptions, textShape } from './text-choices';
import { detectionSaid } from './said-boxes';
import { type Workload, type WorkloadKind, sizesOf } from './workload';

const presets = ['nano', 'mini', 'published'] as const;
const headShape = {
  levels: z
    .enum(detectionLevels)
    .optional()
    .describe('Grids of regions: that of the patches (flat), or three by a pyramid (the default)'),
  fusion: z
    .enum(presets)
    .optional()
    .describe("Size of the head that brings pictures and words together; default: nano. GLIP's is published"),
  shallow: z
    .boolean()
    .optional()
    .describe('Without deep fusion: regions and words meet at the end, as in GLIP-T (A)'),
  anchorScale: z
    .number()
    .positive()
    .max(64)
    .optional()
    .describe("Sides of the squares that boxes are told from, in strides; default: the head's, 3 or 8"),
};
const headOptions = z.object(headShape);
type HeadOptions = z.output<typeof headOptions>;

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the vision tower, a DeiT'),
  ...pictureShape,
  imageSize: pictureShape.imageSize
    .unwrap()
    .default(96)
    .describe(pictureShape.imageSize.description ?? ''),
  patchSize: pictureShape.patchSize
    .unwrap()
    .default(12)
    .describe(pictureShape.patchSize.description ?? ''),
  ...textShape,
  ...headShape,
};
const modelOptions = z.object(modelShape);

/** Finding all objects of named classes, by a GLIP. */
export const detectionKind: WorkloadKind = {
  name: 'detection',
  modelKinds: [glipFamily.kind],
  defaultData: 'scenes-detection',
  fits: namesDetectionData,
  modelShape,
  dataShape: imagesShape,
  givenShape: { ...textShape, ...headShape },
  trainingShape: {},
  create: async (choice, options) => {
    const { model, imageSize, patchSize, ...own } = modelOptions.parse(options);
    const data = await openObjects(choice, { ...(await newTexts(own)), imageSize }, options);
    const config = checked({
      kind: 'glip',
      vision: visionTowerConfig(model, { imageSize, patchSize, channels: data.channels }),
      text: newTextTower(own, data),
      head: headOf(own),
    });
    return { workload: workloadOn(data), model: glip(config) };
  },
  adapt: async (choice, opened, options) => {
    const before = denseConfigOf(asDense(opened).model);
    const own = { ...headOptions.parse(options), ...textOptions.parse(options) };
    const vision = patchEncoderOf(before, 'detection');
    const { text: tower } = familyOf(before).towers(before);
    const { preparation } = opened;
    const reading = {
      ...picturesOf(preparation),
      ...(tower === undefined ? await newTexts(own) : await givenTexts(opened, tower, own)),
      imageSize: vision.imageSize,
    };
    const data = await openObjects(choice, reading, options);
    const text = tower ?? newTextTower(own, data);
    const config = checked({ kind: 'glip', vision, text, head: headAfter(before, own) });
    const model = glip(config);
    const workload = workloadOn(data, preparation, await companionsOf(opened, tower !== undefined));
    workload.checkFit(model);
    return { workload, model };
  },
  identify: (data, options) =>
    identifyDetectionDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: async (choice, opened, options) => {
    const { vision, text } = glipIn(asDense(opened).model);
    const { preparation } = opened;
    const reading = {
      ...picturesOf(preparation),
      ...(await givenTexts(opened, text, {})),
      imageSize: vision.imageSize,
    };
    const data = await openObjects(choice, reading, options);
    return workloadOn(data, preparation, await companionsOf(opened, true));
  },
};

/** The configuration of a GLIP. @throws {UserError} when the model is none. */
export function glipIn(model: Parameters<typeof denseConfigOf>[0]): GlipConfig {
  const config = denseConfigOf(model);
  if (glipFamily.is(config)) return config;
  throw new UserError(
    `detection needs a glip, or for --from a model with a vision tower, got a ${config.kind}`,
  );
}

/** @throws {UserError} for what a GLIP cannot be, as its schema says it. */
function checked(config: GlipConfig): GlipConfig {
  const read = glipFamily.schema.safeParse(config);
  if (read.success) return config;
  const [issue] = read.error.issues;
  throw new UserError(`detection: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no such model'}`);
}

function headOf({ fusion = 'nano', levels = 'pyramid', shallow, anchorScale }: HeadOptions) {
  const preset = detectionHeadPresets[fusion];
  const config: DetectionHeadConfig = {
    ...preset,
    levels,
    deepFusion: shallow !== true,
    anchorScale: anchorScale ?? preset.anchorScale,
  };
  return config;
}

/** The head that goes on, or another one where options ask for it. */
function headAfter(before: DenseConfig, own: HeadOptions): DetectionHeadConfig {
  if (!glipFamily.is(before)) return headOf(own);
  const { fusion, levels = before.head.levels, shallow, anchorScale } = own;
  if (fusion !== undefined) return headOf({ ...own, levels });
  return {
    ...before.head,
    levels,
    deepFusion: shallow === undefined ? before.head.deepFusion : !shallow,
    anchorScale: anchorScale ?? before.head.anchorScale,
  };
}

const companionsOf = async (opened: OpenedModel, hasTexts: boolean): Promise<Workload['companions']> =>
  hasTexts ? tokenizerConfiguration(opened) : {};

/** @throws {UserError} on options of pictures that these data have no use for. */
function openObjects(
  { data, augmentation, eraseProbability, ...kept }: DataChoice,
  reading: DetectionDataOptions,
  options: unknown,
): Promise<DetectionData> {
  if ((augmentation !== 'auto' && augmentation !== 'none') || (eraseProbability ?? 0) > 0) {
    throw new UserError(
      'detection: pictures are mirrored together with their boxes (auto), or not varied (none): leave out --erase-probability',
    );
  }
  return openDetectionDataset(data, {
    ...reading,
    ...picturesKept(kept, reading.imageSize),
    ...imagesOf(options),
    varied: augmentation === 'auto',
  });
}

function workloadOn(
  data: DetectionData,
  preparation?: OpenedModel['preparation'],
  companions: Workload['companions'] = {},
): Workload {
  const { name, classes, prompts, imageSize, channels, tokenizer, context } = data;
  const { train, validation, test } = data;
  const chunks =
    prompts.length === 1
      ? 'in one text'
      : `in ${prompts.length} texts of up to ${context} tokens, one after the other`;
  return {
    train,
    validation,
    test,
    facts: { name, shows: `boxes of ${counted(classes.length, 'class', 'classes')}`, ...sizesOf(data) },
    origin: { data: name },
    companions: {
      ...companions,
      [TOKENIZER_FILE]: `${JSON.stringify(tokenizer.file)}\n`,
      ...preprocessorFiles(preparation, imageSize),
    },
    notesOn: async (splits) => [
      ...data.notes,
      `scores ask for all classes ${chunks}`,
      ...(splits.length > 1 ? await data.duplicates() : []),
    ],
    checkFit: (model: Model) => {
      const { vision, text } = glipIn(model);
      checkTokens(text, tokenizer);
      if (text.context < context)
        throw new UserError(
          `the model reads texts of ${text.context} tokens, but those of ${name} have ${context}`,
        );
      checkChannels(vision, data);
    },
    said: detectionSaid({ imageSize, normalisation: picturesOf(preparation).normalisation }, classes),
    taskOf: (model) => {
      const config = glipIn(model);
      return detection(model, {
        imageSize,
        channels,
        anchors: regionAnchors(levelsOf(config), config.head.anchorScale),
        prompts,
        endToken: config.text.endToken,
      });
    },
  };
}
