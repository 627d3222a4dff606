import type { EntailmentBatch, RegionEntailmentBatch } from '../data/dataset';
import type { DualEncoderInputs } from '../families/dual-encoder';
import type { Model } from '../families/model';
import type { Logits } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import type { EndToken } from '../families/text-tower-config';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, pictureInputs, picturesBetween, tokenInputs } from './inputs';
import { type Stated, countedByClass, judging, shareOf } from './judging';
import { type RegionShape, regionInputs, regionsBetween } from './region-inputs';
import type { HostPrediction, Scorer, Scores, Task } from './task';

interface JudgementOptions {
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}
export type EntailmentOptions = JudgementOptions & PictureShape;
export type RegionEntailmentOptions = JudgementOptions & RegionShape;

/**
 * Visual entailment (Xie et al., 2019, SNLI-VE; Chen et al., 2020, UNITER): whether a picture says that a statement is true, that it is false, or
 * neither, by a model that says `logits` [B, C], and cross-entropy. Scores in percent: the share that is right (`accuracy`; a tie is wrong), and by
 * class. Its batches fail with a RangeError for a text without its end.
 */
export function entailment<Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { classes, endToken, ...shape }: EntailmentOptions,
): Task<Params, EntailmentBatch, Logits, HostPrediction> {
  const picturesOf = pictureInputs(shape);
  return judging(
    (params: Params, batch, hooks) =>
      model.forward(params, { ...picturesOf(batch), ...tokenInputs(batch), ...hooks }),
    { ...judgement(classes, endToken), shownBetween: picturesBetween },
  );
}

/** The same about regions of pictures. */
export function regionEntailment<Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { classes, endToken, ...shape }: RegionEntailmentOptions,
): Task<Params, RegionEntailmentBatch, Logits, HostPrediction> {
  const regionsOf = regionInputs(shape);
  return judging(
    (params: Params, batch, hooks) =>
      model.forward(params, { ...regionsOf(batch), ...tokenInputs(batch), ...hooks }),
    {
      ...judgement(classes, endToken),
      shownBetween: (batch, from, to) => ({
        ...batch,
        size: to - from,
        regions: regionsBetween(batch.regions, from, to),
      }),
    },
  );
}

const judgement = (classes: readonly string[], endToken: EndToken | undefined) => ({
  name: 'entailment',
  classes: classes.length,
  endToken,
  scorer: () => entailmentScorer(classes),
});

function entailmentScorer(classes: readonly string[]): Scorer<HostPrediction, Stated> {
  const { right, all, add } = countedByClass('entailment', classes.length);
  return {
    add,
    scores: (): Scores => ({
      accuracy: shareOf(right, all),
      ...Object.fromEntries(
        classes.flatMap((name, index) =>
          (all[index] ?? 0) === 0 ? [] : [[name, shareOf([right[index] ?? 0], [all[index] ?? 0])]],
        ),
      ),
    }),
  };
}
