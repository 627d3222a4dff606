import {
  type HostPrediction,
  InterruptedError,
  type Scorer,
  UserError,
  asDense,
  disposeTree,
  evaluate,
  evaluationBatches,
  glipFamily,
  likeliest,
  mdetrFamily,
  parseOptions,
  segmenterFamily,
} from '@winnow/core';
import { type BrokenPicture, type PictureBatch, findPictures, unlabelledPictures } from '@winnow/data';
import { checkWritable } from '@winnow/formats';
import { z } from 'zod';
import { imageSizeShape, mergingChoices, mergingShape } from '../model-source/checkpoint-choices';
import { pinnedModel } from '../model-source/hub-model';
import { type OpenedModel, openModel } from '../model-source/open-model';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { engineShape, optimizationShape } from '../options/training';
import { startChosen } from '../run/engine';
import { checkChannels } from '../workload/fit';
import { picturesOf } from '../workload/prepared';
import { looksShape } from '../workload/segmentation';
import { detectInPictures } from './detect';
import { groundPictures } from './ground';
import { type Predictor, predictorOf } from './predictor';
import type { Asked, PicturePrediction, Predictions } from './predictions';
import { segmentPictures } from './segment';
import { writerOf, writtenAbout } from './writer';

const predictOptions = z.object({
  texts: z
    .string()
    .optional()
    .describe(
      'Of a dual encoder: the texts that pictures are told apart by, separated by |; of an MDETR or a GLIP: what to look for',
    ),
  question: z
    .string()
    .min(1)
    .optional()
    .describe('Of a blip for questions: what is asked about each picture'),
  statement: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Of a blip or a vilt for statements: what is judged about each two pictures, the left one first; of a vilt for entailment: about each picture',
    ),
  top: z
    .int()
    .positive()
    .default(5)
    .describe(
      'Classes or texts named for each picture, the likeliest first; texts that are written: at most 3',
    ),
  drawings: pathOption('output')
    .min(1)
    .optional()
    .describe(
      'A folder for a drawing of each picture: of a model that segments in the colours of its classes, of an MDETR or a GLIP with boxes and phrases',
    ),
  coco: pathOption('output')
    .regex(/\.json$/i, 'expected a file whose name ends in .json')
    .optional()
    .describe('Of an MDETR or a GLIP: the file for the boxes that it finds, as COCO has them'),
  ...looksShape,
  ...imageSizeShape,
  ...mergingShape,
  batchSize: optimizationShape.batchSize,
  ...engineShape,
});

/** The options of a prediction. */
export const predictGroup = {
  title: 'Options of predict',
  schema: predictOptions,
} as const satisfies OptionGroup;

/** Whoever looks on, and may want it stopped. */
export interface PredictSetting {
  /** Told a line at a time what is found. */
  note?(line: string): void;
  readonly signal?: AbortSignal;
}

/**
 * Predicts what is on pictures: by the classes of a classifier, or by texts and a dual encoder. Pictures are prepared as
 * an evaluation of the model prepares them, and read batch by batch; only the answers are kept.
 * @param named A run, a model folder or a checkpoint, or a model of the Hub.
 * @param pictures Files, folders (with those below them) and patterns such as `photos/*.jpg`; each picture is looked at once.
 * @param given Options of `predictGroup`.
 * @throws {UserError} when the model tells nothing apart, texts are missing or have no use, or there is no picture.
 * @throws {DataError} when a folder or a pattern has no pictures. Broken pictures are no error: they are among the values.
 * @throws {InterruptedError} when the signal asks for it.
 */
export async function predictPictures(
  named: string,
  pictures: readonly string[],
  given: GivenOptions = {},
  { note = () => undefined, signal }: PredictSetting = {},
): Promise<Predictions> {
  const options = parseOptions(predictOptions, given, predictGroup.title);
  const { texts, question, statement, top, batchSize, imageSize, drawings, multiScale, coco } = options;
  if (coco !== undefined) await checkWritable(coco);
  const found = await findPictures(pictures);
  if (found.paths.length + found.broken.length === 0)
    throw new UserError('predict: expected pictures, got none');
  for (const line of found.notes) note(line);
  const path = await pinnedModel(named, { note, signal });
  await startChosen(options, note);
  const opened = await openModel(path, {
    ...mergingChoices(options),
    ...(imageSize === undefined ? {} : { imageSize }),
  });
  try {
    const { kind } = asDense(opened);
    if (kind === mdetrFamily.kind || kind === glipFamily.kind) {
      if (multiScale === true || question !== undefined || statement !== undefined)
        throw new UserError(
          `${kind === glipFamily.kind ? 'a glip' : 'an mdetr'} takes --texts to look for, and no --question, --statement or --multi-scale: leave them out`,
        );
      for (const line of opened.notes) note(`${path}: ${line}`);
      const asked = { texts, top, batchSize, drawings, coco, signal, note };
      const look = kind === glipFamily.kind ? detectInPictures : groundPictures;
      const grounded = await look(found.paths, opened, asked);
      return { ...grounded, broken: [...found.broken, ...grounded.broken] };
    }
    if (coco !== undefined)
      throw new UserError('--coco is for models that find what texts mean: leave it out');
    if (segmenterFamily.holds(asDense(opened))) {
      if (texts !== undefined)
        throw new UserError(
          '--texts has no use for a model that segments, which has classes of its own: leave it out',
        );
      const idle =
        question !== undefined ? '--question' : statement !== undefined ? '--statement' : undefined;
      if (idle !== undefined)
        throw new UserError(`${idle} is for a blip, and this model is a ${kind}: leave it out`);
      if (given['batchSize'] !== undefined)
        throw new UserError(
          '--batch-size has no use for a model that segments: it looks at one picture after another',
        );
      for (const line of opened.notes) note(`${path}: ${line}`);
      const segmented = await segmentPictures(found.paths, opened, { top, drawings, multiScale, signal });
      return { ...segmented, broken: [...found.broken, ...segmented.broken] };
    }
    if (drawings !== undefined)
      throw new UserError('--drawings is for models that segment, ground or detect: leave it out');
    if (multiScale === true) throw new UserError('--multi-scale is for models that segment: leave it out');
    const writer = await writerOf(opened, { texts, question, statement });
    if (writer !== undefined) {
      for (const line of [...opened.notes, ...writer.notes]) note(`${path}: ${line}`);
      const answers = await writtenAbout(found.paths, opened, writer, { top, batchSize, signal });
      return { by: writer.by, ...answers, broken: [...found.broken, ...answers.broken] };
    }
    const predictor = await predictorOf(opened, texts);
    for (const line of [...opened.notes, ...predictor.notes]) note(`${path}: ${line}`);
    const answers = await answersTo(found.paths, opened, predictor, { top, batchSize, signal });
    return { by: predictor.by, ...answers, broken: [...found.broken, ...answers.broken] };
  } finally {
    disposeTree(opened.params);
  }
}

/** Answers as an evaluation has them, but for the scorer, which keeps them. */
async function answersTo(
  paths: readonly string[],
  { preparation }: OpenedModel,
  { names, exclusion, vision, lend }: Predictor,
  { top, batchSize, signal }: Asked,
): Promise<Omit<Predictions, 'by'>> {
  const { imageSize } = vision;
  const pictures = unlabelledPictures(paths, { imageSize, ...picturesOf(preparation) });
  checkChannels(vision, { name: 'a picture file', channels: pictures.channels });
  const predictions: PicturePrediction[] = [];
  const broken: BrokenPicture[] = [];

  const batches = async function* (): AsyncGenerator<PictureBatch> {
    for await (const batch of evaluationBatches(pictures.dataset, batchSize)) {
      if (signal?.aborted === true) throw new InterruptedError();
      broken.push(...batch.broken);
      if (batch.size > 0) yield batch;
    }
  };
  const scorer: Scorer<HostPrediction, PictureBatch> = {
    add: ({ logits }, batch) => {
      if (logits === undefined) throw new TypeError('predict: no logits were predicted');
      batch.paths.forEach((picture, row) => {
        const own = Float32Array.from(logits.values.subarray(row * names.length, (row + 1) * names.length));
        if (!own.every(Number.isFinite)) throw notFinite(picture);
        predictions.push({ picture, best: likeliest(own, names, top, exclusion) });
      });
    },
    scores: () => ({}),
  };
  await lend((task, params) => evaluate({ ...task, scorer: () => scorer }, params, batches()));
  return { predictions, broken };
}

const notFinite = (picture: string): UserError =>
  new UserError(
    `${picture}: expected finite logits, and the model answers with numbers that are none: its weights are too large, or --precision f32 is needed`,
  );
