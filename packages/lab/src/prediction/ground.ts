import {
  type GroundingBatch,
  type HostPrediction,
  InterruptedError,
  type Scorer,
  UserError,
  asDense,
  evaluate,
  evaluationBatches,
  groundedBoxes,
  grounding,
  lendRunning,
  mdetrFamily,
} from '@winnow/core';
import { type BrokenPicture, type PictureBatch, encodeAll } from '@winnow/data';
import { givenTokenizer } from '../model-source/given-tokenizer';
import type { OpenedModel } from '../model-source/open-model';
import { checkTokens, textFilling } from '../workload/fit';
import { LEAST_CERTAINTY } from '../workload/said-boxes';
import { type BoxFiles, boxWriter } from './found-boxes';
import { phraseOf, wordsOf } from './phrases';
import type { FoundBox, PicturePrediction, Predictions } from './predictions';
import { checkTexts } from './texts';
import { wholePicturesFor } from './whole-pictures';

const MOST_TEXTS = 100;

export interface GroundingAsked extends BoxFiles {
  /** Texts that are looked for in every picture, separated by |. */
  readonly texts: string | undefined;
  /** Boxes that are told of each text at most. */
  readonly top: number;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  note(line: string): void;
}

interface AskedBatch extends GroundingBatch {
  readonly paths: readonly string[];
  /** The text that all of its pictures are asked about. */
  readonly asked: number;
}

/**
 * Finds in pictures what texts mean: of each text the surest box, and others that are sure. Draws them if asked, as PNG and SVG.
 * @throws {UserError} when the model finds no objects, there is no text, or a drawing would take the place of a picture.
 * @throws {InterruptedError} when the signal asks for it.
 */
export async function groundPictures(
  paths: readonly string[],
  opened: OpenedModel,
  { texts: given, top, batchSize, drawings, coco, signal, note }: GroundingAsked,
): Promise<Predictions> {
  const dense = asDense(opened);
  if (!mdetrFamily.holds(dense)) throw new UserError(`predict: expected an mdetr, got a ${dense.kind}`);
  const { vision, text } = dense.model.config;
  const { preparation, model, params } = opened;
  const tokenizer = await givenTokenizer(opened, 'predict');
  checkTokens(text, tokenizer);
  const texts = textsGiven(given);
  for (const line of checkTexts(tokenizer, texts, text.context)) note(line);
  const words = texts.map((each) => wordsOf(tokenizer, each, text.context));
  const write = boxWriter(paths, { drawings, coco });
  const { imageSize, channels } = vision;
  const pictures = wholePicturesFor(paths, vision, preparation);
  const broken: BrokenPicture[] = [];
  const batches = async function* (): AsyncGenerator<AskedBatch> {
    for await (const batch of evaluationBatches(pictures.dataset, batchSize)) {
      if (signal?.aborted === true) throw new InterruptedError();
      broken.push(...batch.broken);
      if (batch.size > 0) for (const asked of texts.keys()) yield about(batch, asked);
    }
  };
  const about = (batch: PictureBatch, asked: number): AskedBatch => {
    const { tokens } = encodeAll(
      tokenizer,
      Array.from({ length: batch.size }, () => texts[asked] ?? ''),
      text.context,
      textFilling(text),
    );
    const objects = { boxes: new Float32Array(), examples: new Int32Array(), tokens: [] };
    return { ...batch, texts: batch.size, tokens, objects, asked };
  };
  const found = new Map<string, FoundBox[]>();
  const scorer: Scorer<HostPrediction, AskedBatch> = {
    add: (prediction, { size, paths: own, asked }) => {
      groundedBoxes(prediction, size).forEach((boxes, row) => {
        const picture = own[row] ?? '';
        const sure = boxes.filter(({ certainty }, place) => place === 0 || certainty >= LEAST_CERTAINTY);
        const told = sure.slice(0, top).map((each): FoundBox => {
          if (!Number.isFinite(each.certainty)) throw notFinite(picture);
          const { phrase, spans } = phraseOf(words[asked] ?? { text: '', words: [] }, each);
          const { box, certainty } = each;
          return { name: phrase, index: asked, probability: certainty, box, text: texts[asked] ?? '', spans };
        });
        found.set(picture, [...(found.get(picture) ?? []), ...told]);
      });
    },
    scores: () => ({}),
  };
  await lendRunning(model, params, (running, own) => {
    const task = grounding(running, { imageSize, channels, endToken: text.endToken });
    return evaluate({ ...task, scorer: () => scorer }, own, batches());
  });
  const predictions = [...found].map(([picture, best]): PicturePrediction => ({ picture, best }));
  await write(found);
  return { by: 'boxes', predictions, broken };
}

/** @throws {UserError} when there is none, or too many, or one is empty. */
export function textsGiven(given: string | undefined): readonly string[] {
  const texts = (given ?? '').split('|').map((text) => text.trim());
  if (given !== undefined && !texts.includes('') && texts.length <= MOST_TEXTS) return texts;
  throw new UserError(
    `--texts: expected what to look for, like "the red car" or "a dog|a cat", up to ${MOST_TEXTS} texts, got ${given === undefined ? 'none' : JSON.stringify(given)}`,
  );
}

const notFinite = (picture: string): UserError =>
  new UserError(
    `${picture}: expected finite logits, and the model answers with numbers that are none: its weights are too large, or --precision f32 is needed`,
  );
