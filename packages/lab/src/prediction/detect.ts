import {
  type DetectedObjects,
  type DetectionBatch,
  InterruptedError,
  type Scorer,
  UserError,
  asDense,
  detection,
  evaluate,
  evaluationBatches,
  glipFamily,
  lendRunning,
  levelsOf,
  regionAnchors,
} from '@winnow/core';
import { type BrokenPicture, promptWriter, unknownNameNotes } from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import type { OpenedModel } from '../model-source/open-model';
import { checkTokens, textFilling } from '../workload/fit';
import { LEAST_SCORE } from '../workload/said-boxes';
import { type BoxFiles, boxWriter } from './found-boxes';
import { textsGiven } from './ground';
import type { FoundBox, PicturePrediction, Predictions } from './predictions';
import { wholePicturesFor } from './whole-pictures';

export interface DetectionAsked extends BoxFiles {
  /** Classes that are looked for, separated by |. */
  readonly texts: string | undefined;
  /** Boxes that are told of each class at most. */
  readonly top: number;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  note(line: string): void;
}

type PathsBatch = DetectionBatch & { readonly paths: readonly string[] };

/**
 * Finds all objects of some classes in pictures, and tells the sure ones. Draws them if asked, as PNG and SVG.
 * @throws {UserError} when the model is no detector, there is no class, or a drawing would take the place of a picture.
 * @throws {DataError} for classes that the tokenizer cannot tell apart.
 * @throws {InterruptedError} when the signal asks for it.
 */
export async function detectInPictures(
  paths: readonly string[],
  opened: OpenedModel,
  { texts: given, top, batchSize, drawings, coco, signal, note }: DetectionAsked,
): Promise<Predictions> {
  const dense = asDense(opened);
  if (!glipFamily.holds(dense)) throw new UserError(`predict: expected a glip, got a ${dense.kind}`);
  const { config } = dense.model;
  const { vision, text, head } = config;
  const { preparation, model, params } = opened;
  const tokenizer = await givenTokenizer(opened, 'predict');
  checkTokens(text, tokenizer);
  const classes = textsGiven(given);
  const { context } = text;
  const { chunks } = promptWriter(tokenizer, classes, { context, ...textFilling(text) });
  for (const line of unknownNameNotes(tokenizer, classes)) note(line);
  if (chunks.length > 1) note(`the ${classes.length} classes are asked for in ${chunks.length} texts`);
  const write = boxWriter(paths, { drawings, coco });
  const { imageSize, channels } = vision;
  const pictures = wholePicturesFor(paths, vision, preparation);
  const broken: BrokenPicture[] = [];
  const batches = async function* (): AsyncGenerator<PathsBatch> {
    for await (const batch of evaluationBatches(pictures.dataset, batchSize)) {
      if (signal?.aborted === true) throw new InterruptedError();
      broken.push(...batch.broken);
      if (batch.size > 0) yield { ...batch, ...nothingKnown(batch.size) };
    }
  };
  const [told, all] = [new Map<string, FoundBox[]>(), new Map<string, FoundBox[]>()];
  const scorer: Scorer<readonly DetectedObjects[], PathsBatch> = {
    add: (answer, { paths: own }) => {
      answer.forEach((found, row) => {
        const picture = own[row] ?? '';
        if (!found.isFinite) throw notFinite(picture);
        const boxes = boxesOf(found, classes);
        all.set(picture, boxes);
        const sure = boxes.filter(({ probability }) => probability >= LEAST_SCORE);
        told.set(
          picture,
          classes.flatMap((_, index) => sure.filter((box) => box.index === index).slice(0, top)),
        );
      });
    },
    scores: () => ({}),
  };
  const anchors = regionAnchors(levelsOf(config), head.anchorScale);
  const options = { imageSize, channels, anchors, prompts: chunks, endToken: text.endToken };
  await lendRunning(model, params, (running, own) =>
    evaluate({ ...detection(running, options), scorer: () => scorer }, own, batches()),
  );
  await write(told, all);
  const predictions = [...told].map(([picture, best]): PicturePrediction => ({ picture, best }));
  const empty = predictions.filter(({ best }) => best.length === 0).length;
  if (empty > 0)
    note(
      `in ${empty} of ${predictions.length} pictures nothing is found that is surer than ${100 * LEAST_SCORE} %`,
    );
  return { by: 'objects', predictions, broken };
}

/** Boxes in shares of the picture, the surest first. */
const boxesOf = ({ boxes, classes, scores }: DetectedObjects, names: readonly string[]): FoundBox[] =>
  Array.from(classes, (index, place): FoundBox => {
    const [left = 0, top = 0, right = 0, bottom = 0] = boxes.subarray(place * 4, (place + 1) * 4);
    const name = names[index] ?? '';
    const box = [left, top, right, bottom] as const;
    const spans = [{ start: 0, end: name.length }];
    return { name, index, probability: scores[place] ?? 0, box, text: name, spans };
  });

/** Pictures of side 1 of which nothing is known. */
const nothingKnown = (size: number) => ({
  texts: 0,
  tokens: new Int32Array(),
  objects: { boxes: new Float32Array(), examples: new Int32Array(), tokens: [] },
  truths: {
    sizes: Array.from({ length: size }, () => ({ height: 1, width: 1 })),
    examples: new Int32Array(),
    classes: new Int32Array(),
    boxes: new Float64Array(),
    areas: new Float64Array(),
    crowds: new Uint8Array(),
  },
});

const notFinite = (picture: string): UserError =>
  new UserError(
    `${picture}: expected finite logits, and the model answers with numbers that are none: its weights are too large, or --precision f32 is needed`,
  );
