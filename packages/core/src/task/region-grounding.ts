import { type Scalar, type Tensor2D, add, softmax, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { BOX, iou } from '../boxes/box';
import { type RankedBoxes, precisionAt } from '../boxes/grounding-scores';
import type { RegionGroundingBatch } from '../data/dataset';
import type { Model } from '../families/model';
import type { Logits } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { gatherRows } from '../operations/gather-rows';
import type { TensorTree } from '../tree/tree';
import { tokenInputs } from './inputs';
import { logitsOf, symmetricDivergence } from './logits';
import { nothingOf } from './nothing';
import { type RegionShape, regionInputs } from './region-inputs';
import type { HostPrediction, Scorer, Scores, Task } from './task';

export interface RegionGroundingOptions extends RegionShape {
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}

/** A region that overlaps the object by this much shows it. */
const SHOWS = 0.5;
const CUTOFFS = [1, 5, 10] as const;

/** The region of each picture that overlaps the object best, and enough to show it; −1 where none does. */
export function meantRegions({ size, regions, truths }: RegionGroundingBatch): number[] {
  const { count, boxes, real } = regions;
  return Array.from({ length: size }, (_, example) => {
    const overlaps = Array.from({ length: count }, (__, region) => {
      const place = example * count + region;
      return real[place] === 1 ? iou(boxes, place, truths, example) : 0;
    });
    const best = overlaps.reduce((most, own, region) => (own > (overlaps[most] ?? 0) ? region : most), 0);
    return (overlaps[best] ?? 0) >= SHOWS ? best : -1;
  });
}

/**
 * Which of a picture's regions a text means (Chen et al., 2020, UNITER, Section 4.1, RefCOCO; ChenRocks/UNITER, `model/re.py`): the
 * cross-entropy among the regions, where one of them shows the object. Scores are precisions at 1, 5 and 10 regions in percent (`p1`): a
 * region is right that overlaps the object by 0.5 or more. The loss goes by the examples whose object is among the regions, so a batch is
 * not computed in parts. Its batches fail with a RangeError for a text without its end.
 */
export function regionGrounding<Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { endToken, ...shape }: RegionGroundingOptions,
): Task<Params, RegionGroundingBatch, Logits, HostPrediction> {
  const regionsOf = regionInputs(shape);
  return {
    name: 'grounding',
    metric: 'p1',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      return logitsOf(model.forward(params, { ...regionsOf(batch), ...tokenInputs(batch), ...hooks }));
    },
    loss: (prediction, batch) => {
      const meant = meantRegions(batch);
      const rows = meant.flatMap((region, example) => (region < 0 ? [] : [example]));
      const nothing = nothingOf(Object.values(prediction));
      if (rows.length === 0) return nothing;
      const { count } = batch.regions;
      const targets = new Float32Array(rows.length * count);
      rows.forEach((example, row) => (targets[row * count + (meant[example] ?? 0)] = 1));
      const asked = gatherRows(prediction.logits, tensor1d(rows, 'int32'));
      return add<Scalar>(nothing, softmaxCrossEntropy(asked, tensor2d(targets, [rows.length, count])));
    },
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: (student, teacher) =>
      add<Scalar>(
        nothingOf(Object.values(student)),
        softmaxCrossEntropy(student.logits, softmax<Tensor2D>(teacher.logits)),
      ),
    scorer: regionGroundingScorer,
  };
}

function regionGroundingScorer(): Scorer<HostPrediction, RegionGroundingBatch> {
  const examples: (RankedBoxes & { readonly target: Float32Array })[] = [];
  return {
    add: ({ logits }, { size, regions, truths }) => {
      if (logits?.dtype !== 'float32') throw new TypeError('grounding: no regions were predicted');
      const { count, boxes, real } = regions;
      for (let example = 0; example < size; example++) {
        const places = Array.from({ length: count }, (_, region) => example * count + region);
        const own = places.filter((place) => real[place] === 1);
        examples.push({
          boxes: Float64Array.from(
            own.flatMap((place) => [...boxes.subarray(place * BOX, (place + 1) * BOX)]),
          ),
          scores: Float64Array.from(own, (place) => logits.values[place] ?? Number.NaN),
          target: truths.slice(example * BOX, (example + 1) * BOX),
        });
      }
    },
    scores: (): Scores => {
      const found = precisionAt(examples, CUTOFFS);
      return Object.fromEntries(CUTOFFS.map((cutoff, index) => [`p${cutoff}`, found[index] ?? Number.NaN]));
    },
  };
}
