import {
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  abs,
  add,
  gather,
  mean,
  minimum,
  mul,
  softmax,
  square,
  sub,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import type { HiddenBatch } from '../data/dataset';
import type { Model } from '../families/model';
import type { Prediction } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import { checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { gatherRows } from '../operations/gather-rows';
import type { TensorTree } from '../tree/tree';
import { tokenInputs } from './inputs';
import { symmetricDivergence } from './logits';
import { nothingOf } from './nothing';
import { transportCosts } from './optimal-transport';
import { askedOf, featuresAt, preTrainingScorer } from './pre-training-scorer';
import { type RegionShape, regionInputs } from './region-inputs';
import type { HostPrediction, Task } from './task';

export interface PreTrainingOptions extends RegionShape {
  /** Ends each text. */
  readonly endToken: number;
  /** Weight of the transport between words and regions beside matching. Default 0.1; LXMERT has none. */
  readonly alignment?: number;
  /** The comparison of features that are found again: by squares (UNITER; the default), or by smooth absolute values (LXMERT). */
  readonly regionLoss?: 'squares' | 'smooth';
}

/** A model's answers where it was asked: one row where nothing was, which no loss reads. */
export type FoundAgain = {
  /** Logits of not belonging together and of belonging, [K, 2]. */
  readonly matches: Tensor2D;
  /** Logits of hidden words, [N, V]. */
  readonly words: Tensor2D;
  /** Features of hidden regions, [M, F]. */
  readonly regions: Tensor2D;
  /** Costs of transport between words and regions, for pairs that are asked whether they belong together, [K]. */
  readonly costs: Tensor1D;
  /** Logits of the classes of hidden regions, [L, C], of a model that tells them. */
  readonly classes?: Tensor2D;
  /** Logits of the answers to questions, [Q, A], of a model that tells them. */
  readonly answers?: Tensor2D;
};

/** Shares of the objectives, as UNITER draws them, and of LXMERT's questions. */
const [OF_MATCHING, OF_WORDS, OF_REGIONS, OF_CLASSES, OF_ANSWERS] = [2, 2, 1, 1, 2] as const;
const ALL = OF_MATCHING + OF_WORDS + OF_REGIONS;
const ALIGNMENT = 0.1;

/** Words that regions may be aligned with, [B, T]: neither the first token, nor the end. */
function alignedWords(tokens: Int32Array, texts: number, endToken: number): Float32Array {
  const length = tokens.length / texts;
  const found = new Float32Array(tokens.length);
  for (let start = 0; start < tokens.length; start += length)
    found.fill(1, start + 1, Math.max(start + 2, tokens.indexOf(endToken, start)));
  return found;
}

const isMatrix = (tensor: Tensor | undefined): tensor is Tensor2D => tensor?.rank === 2;
const isOfThree = (tensor: Tensor | undefined): tensor is Tensor3D => tensor?.rank === 3;
const unsaid = (name: string) => new RangeError(`expected a model for pre-training: it says no ${name}`);

function matrixIn(said: Prediction, name: string): Tensor2D {
  const tensor = said[name];
  if (!isMatrix(tensor)) throw unsaid(name);
  return tensor;
}

function statesIn(said: Prediction, name: string): Tensor3D {
  const tensor = said[name];
  if (!isOfThree(tensor)) throw unsaid(name);
  return tensor;
}

/** Smooth absolute values: squares near 0 and lines beyond 1 (Girshick, 2015, Equation 3). */
function smooth(values: Tensor): Tensor {
  const size = abs(values);
  const near = minimum(size, 1);
  return add(mul(square(near), 0.5), sub(size, near));
}

/** Classes → rows with a 1 each, [N, V]. */
function oneOf(classes: readonly number[], count: number): Tensor2D {
  const targets = new Float32Array(classes.length * count);
  classes.forEach((own, row) => (targets[row * count + own] = 1));
  return tensor2d(targets, [classes.length, count]);
}

/**
 * Pre-training on words and regions (Chen et al., 2020, UNITER, Section 3.2; ChenRocks/UNITER, `model/pretrain.py`): whether a text is
 * about a picture, with the cost of transport between their words and regions beside it (for those that belong together less those that
 * do not); hidden words, by cross-entropy; hidden regions, whose features are found again in squares, or whose class is told. Each example
 * of a batch is asked one of these; UNITER draws one for a whole batch, which is the same on average. Each loss is a mean over what is
 * asked, weighted 2 : 2 : 1 : 1. Scores in percent: `words` and `matching` that are right, of `regions` the share of their features'
 * variance that is found, and `classes` and `answers` that are right, of a model that tells them. Of LXMERT (Tan and Bansal, 2019, Section 3.1; it hides
 * regions in zeros, adds all losses of an example, and takes smooth absolute values) it is the same with questions beside it, whose answers
 * are told by cross-entropy, with the weight of matching (`answers`). Its batches fail with a RangeError for a text without its end.
 */
export function preTraining<Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { features, places, endToken, alignment = ALIGNMENT, regionLoss = 'squares' }: PreTrainingOptions,
): Task<Params, HiddenBatch, FoundAgain, HostPrediction> {
  const regionsOf = regionInputs({ features, places });
  const distance = (between: Tensor): Scalar =>
    regionLoss === 'squares' ? mean(square(between)) : mean(smooth(between));
  const ofClasses = (
    one: FoundAgain,
    other: FoundAgain,
    compare: (a: Tensor2D, b: Tensor2D) => Scalar,
  ): readonly Scalar[] =>
    ([one.classes, one.answers] as const).flatMap((own, place) => {
      const theirs = [other.classes, other.answers][place];
      return own === undefined || theirs === undefined ? [] : [compare(own, theirs)];
    });
  return {
    name: 'pre-training',
    metric: 'words',
    predict: (params, batch, hooks) => {
      const { size, tokens, texts, regions } = batch;
      checkTextEnds(tokens, tokens.length / texts, endToken);
      const hidden = tensor2d(batch.hiddenRegions, [size, regions.count]);
      const given = { ...regionsOf(batch), ...tokenInputs(batch), hidden };
      const said = model.forward(params, { ...given, ...hooks });
      const asked = askedOf(batch);
      const rows = (places: readonly number[]): Tensor1D =>
        tensor1d(places.length === 0 ? [0] : [...places], 'int32');
      const costs = transportCosts({
        told: statesIn(said, 'told'),
        words: tensor2d(alignedWords(tokens, texts, endToken), given.tokens.shape),
        seen: statesIn(said, 'seen'),
        regions: given.counts,
      });
      return {
        matches: gatherRows(matrixIn(said, 'logits'), rows(asked.matches)),
        words: gatherRows(matrixIn(said, 'words'), rows(asked.words)),
        regions: gatherRows(matrixIn(said, 'regions'), rows(asked.regions)),
        costs: gather(costs, rows(asked.matches)),
        ...(said['classes'] === undefined
          ? {}
          : { classes: gatherRows(matrixIn(said, 'classes'), rows(asked.classes)) }),
        ...(said['answers'] === undefined
          ? {}
          : { answers: gatherRows(matrixIn(said, 'answers'), rows(asked.answers)) }),
      };
    },
    loss: (prediction, batch) => {
      const asked = askedOf(batch);
      const losses: Scalar[] = [nothingOf(Object.values(prediction))];
      const all =
        ALL +
        (prediction.classes === undefined ? 0 : OF_CLASSES) +
        (prediction.answers === undefined ? 0 : OF_ANSWERS);
      const weighted = (share: number, loss: Scalar) => losses.push(mul<Scalar>(loss, share / all));
      if (asked.matches.length > 0) {
        const truth = asked.matches.map((example) => batch.matches[example] ?? 0);
        const signs = tensor1d(truth.map((match) => (match === 1 ? 1 : -1)));
        weighted(OF_MATCHING, softmaxCrossEntropy(prediction.matches, oneOf(truth, 2)));
        weighted(OF_MATCHING * alignment, mean(mul(prediction.costs, signs)));
      }
      if (asked.words.length > 0) {
        const truth = asked.words.map((place) => batch.hiddenWords[place] ?? 0);
        weighted(OF_WORDS, softmaxCrossEntropy(prediction.words, oneOf(truth, prediction.words.shape[1])));
      }
      if (asked.regions.length > 0) {
        const truth = tensor2d(featuresAt(batch, asked.regions, features), [asked.regions.length, features]);
        weighted(OF_REGIONS, distance(sub(prediction.regions, truth)));
      }
      if (asked.classes.length > 0 && prediction.classes !== undefined) {
        const truth = asked.classes.map((place) => batch.hiddenClasses?.[place] ?? 0);
        weighted(
          OF_CLASSES,
          softmaxCrossEntropy(prediction.classes, oneOf(truth, prediction.classes.shape[1])),
        );
      }
      if (asked.answers.length > 0 && prediction.answers !== undefined) {
        const truth = asked.answers.map((example) => batch.answers?.[example] ?? 0);
        weighted(
          OF_ANSWERS,
          softmaxCrossEntropy(prediction.answers, oneOf(truth, prediction.answers.shape[1])),
        );
      }
      return losses.reduce((total, loss) => add(total, loss));
    },
    divergence: (one, other) =>
      [
        symmetricDivergence(one.words, other.words),
        symmetricDivergence(one.matches, other.matches),
        mean<Scalar>(square(sub(one.regions, other.regions))),
        ...ofClasses(one, other, symmetricDivergence),
      ].reduce((total, part) => add(total, part)),
    distillation: (student, teacher) =>
      [
        softmaxCrossEntropy(student.words, softmax(teacher.words)),
        softmaxCrossEntropy(student.matches, softmax(teacher.matches)),
        mean<Scalar>(square(sub(student.regions, teacher.regions))),
        ...ofClasses(student, teacher, (own, taught) => softmaxCrossEntropy(own, softmax(taught))),
      ].reduce((total, part) => add(total, part)),
    scorer: () => preTrainingScorer(features),
  };
}
