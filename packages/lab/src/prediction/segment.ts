import { mkdir } from 'node:fs/promises';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import {
  type Guess,
  InterruptedError,
  UserError,
  asDense,
  lendRunning,
  multiScale,
  segmentWhole,
  segmenterFamily,
  singleScale,
} from '@winnow/core';
import { type BrokenPicture, DataError, drawnSegmentation, wholePictures } from '@winnow/data';
import { writeAtomically } from '@winnow/formats';
import type { OpenedModel } from '../model-source/open-model';
import { checkChannels } from '../workload/fit';
import { picturesOf } from '../workload/prepared';
import { drawingFiles } from './drawing-files';
import type { PicturePrediction, Predictions } from './predictions';

const CHANNELS = 3;

export interface SegmentationAsked {
  /** Classes that are named for each picture. */
  readonly top: number;
  /** Folder that drawings are written to. */
  readonly drawings?: string | undefined;
  readonly multiScale?: boolean | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Says which shares of pictures show what, and draws it if asked: a PNG for each picture, of its name.
 * @throws {UserError} when the model says nothing of pixels, or a drawing would take the place of a picture.
 * @throws {InterruptedError} when the signal asks for it.
 */
export async function segmentPictures(
  paths: readonly string[],
  opened: OpenedModel,
  { top, drawings, multiScale: isMultiScale, signal }: SegmentationAsked,
): Promise<Predictions> {
  const dense = asDense(opened);
  if (!segmenterFamily.holds(dense))
    throw new UserError(`predict: expected a segmenter, got a ${dense.kind}`);
  const { vision, classes } = dense.model.config;
  checkChannels(vision, { name: 'a picture file', channels: CHANNELS });
  const { model, params, classNames, preparation } = opened;
  const nameOf = (index: number): string => classNames?.[index] ?? String(index);
  const files = drawings === undefined ? undefined : drawingFiles(paths, drawings, ['.png']);
  if (drawings !== undefined) await mkdir(drawings, { recursive: true });
  const { normalisation } = picturesOf(preparation);
  const pictures = wholePictures({ imageSize: vision.imageSize, normalisation });
  const options = {
    window: vision.imageSize,
    channels: CHANNELS,
    classes,
    looks: isMultiScale === true ? multiScale : singleScale,
  };
  const predictions: PicturePrediction[] = [];
  const broken: BrokenPicture[] = [];
  await lendRunning(model, params, async (running, own) => {
    for (const picture of paths) {
      if (signal?.aborted === true) throw new InterruptedError();
      const read = await pictures.read(picture).catch((error: unknown) => {
        if (!(error instanceof DataError)) throw error;
        broken.push({ picture, problem: error.message });
        return undefined;
      });
      if (read === undefined) continue;
      const labels = await segmentWhole(
        (images) => logitsIn(running.forward(own, { images })),
        read.whole,
        options,
      );
      if (labels.includes(classes)) throw notFinite(picture);
      const file = files?.get(picture);
      if (file !== undefined)
        await writeAtomically(`${file}.png`, await drawnSegmentation(read.original, labels, classes));
      predictions.push({ picture, best: sharesOf(labels, classes, nameOf).slice(0, top) });
    }
  });
  return { by: 'pixels', predictions, broken };
}

const logitsIn = ({ logits }: Readonly<Record<string, Tensor>>): Tensor2D => {
  if (logits?.rank === 2) return logits.as2D(logits.shape[0] ?? 0, logits.shape[1] ?? 0);
  throw new TypeError('predict: no logits of pixels were predicted');
};

/** The share of a picture's pixels that each class has, the largest first; classes that it does not show are left out. */
function sharesOf(labels: Int32Array, classes: number, nameOf: (index: number) => string): Guess[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts
    .map((count, index) => ({ name: nameOf(index), index, probability: count / labels.length }))
    .filter(({ probability }) => probability > 0)
    .sort((a, b) => b.probability - a.probability || a.index - b.index);
}

const notFinite = (picture: string): UserError =>
  new UserError(
    `${picture}: expected finite logits, and the model answers with numbers that are none: its weights are too large, or --precision f32 is needed`,
  );
