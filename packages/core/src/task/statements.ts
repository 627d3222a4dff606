import { tensor4d } from '@tensorflow/tfjs-core';
import type { RegionStatementBatch, StatementBatch } from '../data/dataset';
import type { BlipInputs } from '../families/blip';
import type { Model } from '../families/model';
import { sidesOf } from '../families/picture-sides';
import type { Logits } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import type { EndToken } from '../families/text-tower-config';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, picturesBetween, tokenInputs } from './inputs';
import { type Stated, countedByClass, judging, shareOf } from './judging';
import { type RegionShape, regionInputs, regionsBetween } from './region-inputs';
import type { HostPrediction, Scorer, Scores, Task } from './task';

export interface StatementOptions extends PictureShape {
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}

export interface RegionStatementOptions extends RegionShape {
  readonly endToken?: EndToken;
}

/**
 * Judging whether a statement is true of two pictures (Suhr et al., 2019, NLVR2), by cross-entropy. The score is the share that is
 * right, in percent (`accuracy`); a tie is wrong. Its batches fail with a RangeError for a text without its end.
 */
export function statements<Params extends TensorTree>(
  model: Pick<Model<Params, BlipInputs>, 'forward'>,
  { endToken, imageSize, channels }: StatementOptions,
): Task<Params, StatementBatch, Logits, HostPrediction> {
  const { height, width } = sidesOf(imageSize);
  return judging(
    (params: Params, batch, hooks) => {
      const images = tensor4d(batch.images, [2 * batch.size, height, width, channels]);
      return model.forward(params, { images, ...tokenInputs(batch), ...hooks });
    },
    { ...judgement(endToken), shownBetween: picturesBetween },
  );
}

/** The same about the regions of two pictures. */
export function regionStatements<Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { endToken, ...shape }: RegionStatementOptions,
): Task<Params, RegionStatementBatch, Logits, HostPrediction> {
  const regionsOf = regionInputs(shape);
  return judging(
    (params: Params, batch, hooks) => {
      const shown = regionsOf({ size: 2 * batch.size, regions: batch.regions });
      return model.forward(params, { ...shown, ...tokenInputs(batch), ...hooks });
    },
    {
      ...judgement(endToken),
      shownBetween: (batch, from, to) => ({
        ...batch,
        size: to - from,
        regions: regionsBetween(batch.regions, 2 * from, 2 * to),
      }),
    },
  );
}

/** False and true. */
const CLASSES = 2;

const judgement = (endToken: EndToken | undefined) => ({
  name: 'statements',
  classes: CLASSES,
  endToken,
  scorer: statementScorer,
});

function statementScorer(): Scorer<HostPrediction, Stated> {
  const { right, all, add } = countedByClass('statements', CLASSES);
  return { add, scores: (): Scores => ({ accuracy: shareOf(right, all) }) };
}
