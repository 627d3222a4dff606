import {
  type BatchSource,
  type Dataset,
  type ImageBatch,
  type ImageClassificationData,
  type ImageInputs,
  type Model,
  type Scores,
  type Task,
  type TensorTree,
  UserError,
  type VisionTransformer,
  evaluate,
  evaluationBatches,
  trainingBatches,
} from '@winnow/core';
import { openDataset } from '@winnow/data';
import type { DataChoice } from '../options/training';
import { tasks } from '../table';

/** @throws {DataError} when there is no such dataset, or a picture of it is broken. */
export function openData(
  { data, augmentation, preload }: DataChoice,
  imageSize: number,
): Promise<ImageClassificationData> {
  return openDataset(data, {
    imageSize,
    preload,
    ...(augmentation === 'auto' ? {} : { augmentation }),
  });
}

export function batchesOf(
  { train }: ImageClassificationData,
  { batchSize, seed }: { readonly batchSize: number; readonly seed: number },
): BatchSource<ImageBatch> {
  return trainingBatches(train, { batchSize, seed, augment: true });
}

/** Classification of the dataset's pictures by a model. */
export function taskOn<Params extends TensorTree>(
  { imageSize, channels, classes }: ImageClassificationData,
  model: Pick<Model<Params, ImageInputs>, 'forward'>,
  labelSmoothing = 0,
): Task<Params, ImageBatch> {
  return tasks.classification(model, { imageSize, channels, classes: classes.length, labelSmoothing });
}

export function scoreOn<Params extends TensorTree>(
  dataset: Dataset<ImageBatch>,
  batchSize: number,
): (task: Task<Params, ImageBatch>, params: Params) => Promise<Scores> {
  return (task, params) => evaluate(task, params, evaluationBatches(dataset, batchSize));
}

/** @throws {UserError} when a model was made for other pictures or classes. */
export function checkFit(
  { config }: Pick<VisionTransformer, 'config'>,
  { name, channels, classes }: ImageClassificationData,
): void {
  if (config.classes !== classes.length) {
    throw new UserError(
      `the model tells ${config.classes} classes apart, but ${name} has ${classes.length}: choose the data it was trained for`,
    );
  }
  if (config.channels !== channels) {
    throw new UserError(
      `the model takes pictures of ${config.channels} channels, but ${name} has ${channels}`,
    );
  }
}
