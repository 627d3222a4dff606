import {
  type Model,
  type SegmenterConfig,
  UserError,
  asDense,
  denseConfigOf,
  maskDecoder,
  multiScale,
  segmentation,
  segmenter,
  segmenterFamily,
  visionTowerConfig,
  counted,
} from '@winnow/core';
import {
  type SegmentationData,
  type SegmentationDataOptions,
  identifySegmentationDataset,
  namesSegmentationData,
  openSegmentationDataset,
} from '@winnow/data';
import { z } from 'zod';
import { preprocessorFiles } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';
import { differenceOf } from './class-order';
import { checkChannels } from './fit';
import { imagesOf, imagesShape } from './images';
import { patchEncoderOf } from './patch-encoder';
import { pictureShape } from './picture-shape';
import { picturesOf } from './prepared';
import { models } from './sizes';
import { type HeadChoice, type Workload, type WorkloadKind, sizesOf } from './workload';
import { kebab } from '../options/group';

const decoderShape = {
  decoder: z
    .enum(['mask', 'linear'])
    .optional()
    .describe(
      'What tells patches apart: two layers with a token for each class (mask, the default), or a linear map',
    ),
};
const decoderOptions = z.object(decoderShape);
type DecoderKind = z.output<typeof decoderOptions>['decoder'];

const modelShape = {
  model: z.enum(models).default('nano').describe('Size of the encoder, a DeiT'),
  ...pictureShape,
  imageSize: pictureShape.imageSize
    .unwrap()
    .default(96)
    .describe(pictureShape.imageSize.description ?? ''),
  ...decoderShape,
};
const modelOptions = z.object(modelShape);

/** The looks at pictures that a score takes. */
export const looksShape = {
  multiScale: z
    .boolean()
    .optional()
    .describe('Of a model that segments: look at pictures at six scales, mirrored too, and add what it says'),
};
const looksOptions = z.object(looksShape);

const decoderOf = (kind: DecoderKind, vision: SegmenterConfig['vision']): SegmenterConfig['decoder'] =>
  kind === 'linear' ? { kind } : maskDecoder(vision);

/** Saying of every pixel what it shows, by a Segmenter. */
export const segmentationKind: WorkloadKind = {
  name: 'segmentation',
  modelKinds: [segmenterFamily.kind],
  defaultData: 'scenes-masks',
  fits: namesSegmentationData,
  modelShape,
  dataShape: imagesShape,
  givenShape: decoderShape,
  trainingShape: {},
  create: async (choice, options) => {
    const { model, decoder, imageSize, patchSize } = modelOptions.parse(options);
    const data = await openMasks(choice, { ...imagesOf(options), imageSize });
    const vision = visionTowerConfig(model, { imageSize, patchSize, channels: data.channels });
    const config = {
      kind: 'segmenter',
      vision,
      classes: data.classes.length,
      decoder: decoderOf(decoder, vision),
    } as const;
    return { workload: workloadOn(data, options), model: segmenter(config) };
  },
  adapt: async (choice, opened, options, head) => {
    const { decoder } = decoderOptions.parse(options);
    const before = denseConfigOf(asDense(opened).model);
    const vision = patchEncoderOf(before, 'segmentation');
    const { preparation } = opened;
    const data = await openMasks(choice, {
      ...imagesOf(options),
      ...picturesOf(preparation),
      imageSize: vision.imageSize,
    });
    checkChannels(vision, data);
    if (segmenterFamily.is(before)) checkNames(data, opened.classNames, before, head);
    const goesOn = segmenterFamily.is(before) && (decoder === undefined || decoder === before.decoder.kind);
    const config: SegmenterConfig = {
      kind: 'segmenter',
      vision,
      classes: data.classes.length,
      decoder: goesOn ? before.decoder : decoderOf(decoder, vision),
    };
    return { workload: workloadOn(data, options, preparation), model: segmenter(config) };
  },
  identify: (data, options) =>
    identifySegmentationDataset(data, { pictureCache: pictureCacheIn(cacheFolder()), ...imagesOf(options) }),
  open: async (choice, opened, options) => {
    const config = segmenterIn(asDense(opened).model);
    const { preparation } = opened;
    const data = await openMasks(choice, {
      ...imagesOf(options),
      ...picturesOf(preparation),
      imageSize: config.vision.imageSize,
    });
    checkNames(data, opened.classNames, config, 'kept');
    return workloadOn(data, options, preparation);
  },
};

/** The configuration of a segmenter. @throws {UserError} when the model is none. */
function segmenterIn(model: Parameters<typeof denseConfigOf>[0]): SegmenterConfig {
  const config = denseConfigOf(model);
  if (segmenterFamily.is(config)) return config;
  throw new UserError(
    `segmentation needs a segmenter, or for --from a model with a vision tower, got a ${config.kind}`,
  );
}

/** @throws {UserError} where as many classes have other names, or another order, and the head goes on. */
function checkNames(
  { name, classes }: SegmentationData,
  names: readonly string[] | undefined,
  config: SegmenterConfig,
  head: HeadChoice,
): void {
  if (head === 'new' || names === undefined || config.classes !== classes.length) return;
  if (names.join('\n') === classes.join('\n')) return;
  throw new UserError(
    `the classes of the model are not those of ${name}, in this order: ${differenceOf(names, classes)}. Choose the data it was trained for, or draw a new head with --head new`,
  );
}

/** @throws {UserError} on options of pictures that these data have no use for. */
function openMasks(
  { data, augmentation, eraseProbability, ...keeping }: DataChoice,
  {
    images,
    ...reading
  }: Pick<SegmentationDataOptions, 'imageSize' | 'normalisation'> & ReturnType<typeof imagesOf>,
): Promise<SegmentationData> {
  if ((augmentation !== 'auto' && augmentation !== 'none') || (eraseProbability ?? 0) > 0) {
    throw new UserError(
      'segmentation: pictures are varied together with their masks, by crops of several scales (auto), or not at all (none): leave out --erase-probability',
    );
  }
  const unused = (['workers', 'cacheDisk'] as const).find((name) => keeping[name] !== undefined);
  if (unused !== undefined)
    throw new UserError(
      `segmentation: --${kebab(unused)} has no use: pictures and masks are read in turn, and kept in memory`,
    );
  const { preload, cacheBytes, pictureCache } = picturesKept(keeping, reading.imageSize);
  return openSegmentationDataset(data, {
    ...(images === undefined ? {} : { images }),
    imageSize: reading.imageSize,
    ...(reading.normalisation === undefined ? {} : { normalisation: reading.normalisation }),
    varied: augmentation === 'auto',
    ...(preload === undefined ? {} : { preload }),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    ...(pictureCache === undefined ? {} : { pictureCache }),
  });
}

function workloadOn(
  data: SegmentationData,
  options: unknown,
  preparation?: OpenedModel['preparation'],
): Workload {
  const { name, classes, imageSize, channels, train, validation, test } = data;
  const isMultiScale = looksOptions.parse(options).multiScale === true;
  return {
    train,
    validation,
    test,
    facts: { name, shows: `masks of ${counted(classes.length, 'class', 'classes')}`, ...sizesOf(data) },
    origin: { data: name },
    classNames: classes,
    companions: preprocessorFiles(preparation, imageSize),
    notesOn: async (splits) => [...data.notes, ...(splits.length > 1 ? await data.duplicates() : [])],
    checkFit: (model: Model) => {
      const config = segmenterIn(model);
      if (config.classes !== classes.length) {
        throw new UserError(
          `the model tells ${config.classes} classes apart, but ${name} has ${classes.length}: choose the data it was trained for, or give it a new head with winnow train --from … --head new`,
        );
      }
      checkChannels(config.vision, data);
    },
    taskOf: (model) =>
      segmentation(model, {
        imageSize,
        channels,
        classes: classes.length,
        ...(isMultiScale ? { looks: multiScale } : {}),
      }),
  };
}
