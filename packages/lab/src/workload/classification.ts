import {
  type DenseConfig,
  type PicturePreparation,
  type PictureSize,
  UserError,
  type VisionTowerConfig,
  asDense,
  classification,
  denseConfigOf,
  pictureInputs,
  picturesBetween,
  trainingBatches,
  visionTransformer,
  visionTransformerConfig,
  familyOf,
  visionTransformerFamily,
} from '@winnow/core';
import {
  type FoundImageClassificationData,
  identifyDataset,
  mixedBatches,
  namesGroundingData,
  namesImageTextData,
  namesQuestionData,
  namesSegmentationData,
  openDataset,
} from '@winnow/data';
import { z } from 'zod';
import { preprocessorFiles } from '../model-source/companions';
import { type DataChoice, erasingOf } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { classOrderShape, differenceOf, matchedClasses } from './class-order';
import { checkChannels } from './fit';
import { labelledOf, labelledShape } from './pictures-read';
import { picturesOf } from './prepared';
import { models } from './sizes';
import { pictureShape } from './picture-shape';
import { type Workload, type WorkloadKind, sizesOf } from './workload';

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the DeiT'),
  ...pictureShape,
  distillation: z
    .enum(['none', 'token', 'head'])
    .default('none')
    .describe("DeiT's distillation token, alone or with its own classifier"),
};
const modelOptions = z.object(modelShape);

const trainingShape = {
  labelSmoothing: z
    .number()
    .min(0)
    .max(0.99)
    .default(0.1)
    .describe('Share of the target spread over all classes'),
  mixup: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Mixup of training pictures and labels, with an alpha up to 1; 0 for none'),
  cutmix: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'CutMix of training pictures and labels, with an alpha up to 1; beside mixup, half of the batches',
    ),
};
const trainingOptions = z.object(trainingShape);

const NEW_HEAD = 'give it a new head first with winnow train --from … --head new';

/** Telling classes of pictures apart, by a DeiT. */
export const classificationKind: WorkloadKind = {
  name: 'classification',
  modelKinds: [visionTransformerFamily.kind],
  defaultData: 'emoji-category',
  fits: async (data) =>
    !(await namesImageTextData(data)) &&
    !(await namesGroundingData(data)) &&
    !(await namesQuestionData(data)) &&
    !(await namesSegmentationData(data)),
  modelShape,
  dataShape: labelledShape,
  givenShape: classOrderShape,
  trainingShape,
  create: async (choice, options) => {
    const { model, ...shape } = modelOptions.parse(options);
    const data = await openPictures({ ...choice, ...labelledOf(options) }, shape.imageSize);
    const { channels, classes } = data;
    const config = visionTransformerConfig(model, { ...shape, channels, classes: classes.length });
    return { workload: classificationWorkload(data), model: visionTransformer(config) };
  },
  adapt: async (choice, opened, options, head) => {
    const given = denseConfigOf(asDense(opened).model);
    const vision = visionTowerOf(given);
    const { preparation } = opened;
    const data = await openPictures({ ...choice, ...labelledOf(options) }, vision.imageSize, preparation);
    checkChannels(vision, data);
    const classes = data.classes.length;
    const { ties: _, ...shape } = visionTransformerFamily.is(given) ? given : { ...vision, ties: undefined };
    const config = { ...shape, kind: 'vision-transformer', classes } as const;
    const goesOn = head === 'kept' && visionTransformerFamily.is(given) && given.classes === classes;
    const matched = goesOn
      ? matchedClasses(data, opened.classNames, options, 'draw a new head with --head new')
      : data;
    return { workload: classificationWorkload(matched, preparation), model: visionTransformer(config) };
  },
  identify: (data, options) =>
    identifyDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...labelledOf(options) }),
  open: async (choice, opened, options) => {
    const dense = asDense(opened);
    if (!visionTransformerFamily.holds(dense))
      throw new UserError(`classification needs a vision transformer, got a ${dense.kind}`);
    const { preparation } = opened;
    const { config } = dense.model;
    const data = await openPictures({ ...choice, ...labelledOf(options) }, config.imageSize, preparation);
    // Another number of classes is for checkFit to refuse.
    const matched =
      data.classes.length === config.classes
        ? matchedClasses(data, opened.classNames, options, NEW_HEAD)
        : data;
    return classificationWorkload(matched, preparation, opened.classNames);
  },
};

function visionTowerOf(config: DenseConfig): VisionTowerConfig {
  const { vision } = familyOf(config).towers(config);
  if (vision !== undefined) return vision;
  throw new UserError(`classification needs a vision tower, and a ${config.kind} has none`);
}

/** Labelled pictures, and how they are read. */
export type PictureChoice = DataChoice & ReturnType<typeof labelledOf>;

export function openPictures(
  choice: PictureChoice,
  imageSize: PictureSize,
  preparation?: PicturePreparation,
): Promise<FoundImageClassificationData> {
  const { data, augmentation, eraseProbability, preload, cacheMemory, cacheDisk, workers } = choice;
  // Choices come with all other options of a command.
  const { images, nested, heldOutShares, validationSeed, broken } = choice;
  const options = {
    ...(images === undefined ? {} : { images }),
    ...(nested === undefined ? {} : { nested }),
    ...(heldOutShares === undefined ? {} : { heldOutShares }),
    ...(validationSeed === undefined ? {} : { validationSeed }),
    ...(broken === undefined ? {} : { broken }),
    imageSize,
    ...picturesKept({ preload, cacheMemory, cacheDisk, workers }, imageSize),
    ...erasingOf({ augmentation, eraseProbability }),
    ...picturesOf(preparation),
  };
  return openDataset(data, augmentation === 'auto' ? options : { ...options, augmentation });
}

function classificationWorkload(
  data: FoundImageClassificationData,
  preparation?: PicturePreparation,
  /** Class names of the model that there is. */
  namesOfModel?: readonly string[],
): Workload {
  const { name, classes, imageSize, channels, train, validation, test } = data;
  return {
    train,
    validation,
    test,
    facts: { name, classes: classes.length, ...sizesOf(data) },
    origin: { data: name },
    classNames: classes,
    companions: preprocessorFiles(preparation, imageSize),
    skipped: data.skipped,
    notesOn: async (splits) => [...data.notes, ...(splits.length > 1 ? await data.duplicates() : [])],
    checkFit: (model) => {
      const config = denseConfigOf(model);
      if (!visionTransformerFamily.is(config)) {
        throw new UserError(`classification needs a vision transformer, got a ${config.kind}`);
      }
      if (config.classes !== classes.length) {
        const difference = namesOfModel === undefined ? '' : ` (${differenceOf(namesOfModel, classes)})`;
        throw new UserError(
          `the model tells ${config.classes} classes apart, but ${name} has ${classes.length}${difference}: choose the data it was trained for, or ${NEW_HEAD}`,
        );
      }
      checkChannels(config, data);
    },
    batches: (choice, training) => {
      const { mixup, cutmix } = trainingOptions.parse(training);
      const plain = trainingBatches(train, { ...choice, augment: true });
      return mixedBatches(plain, { mixup, cutmix, seed: choice.seed, imageSize });
    },
    taskOf: (model, training = { labelSmoothing: 0 }) => {
      const { labelSmoothing } = trainingOptions.parse(training);
      const inputs = pictureInputs({ imageSize, channels });
      return classification(model, {
        inputs,
        classes: classes.length,
        labelSmoothing,
        slice: picturesBetween,
      });
    },
  };
}
