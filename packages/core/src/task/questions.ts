import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  add,
  concat,
  logSumExp,
  slice,
  softmax,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { answerAccuracy } from '../boxes/grounding-scores';
import type { QuestionBatch, RegionQuestionBatch } from '../data/dataset';
import type { DualEncoderInputs } from '../families/dual-encoder';
import type { Hooks } from '../families/hooks';
import type { Model } from '../families/model';
import type { Prediction } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { gatherRows } from '../operations/gather-rows';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';
import { symmetricDivergence } from './logits';
import { nothingOf } from './nothing';
import { type RegionShape, regionInputs } from './region-inputs';
import type { HostPrediction, Scorer, Scores, Task } from './task';

export interface AnsweringOptions {
  /** Names of the types of questions, for the scores. */
  readonly types: readonly string[];
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
  /** The number of answers of each type, for a model that says `logits` [B, A] of all answers, type by type. */
  readonly answers?: readonly number[];
}
export type QuestionsOptions = AnsweringOptions & PictureShape;
export type RegionQuestionsOptions = AnsweringOptions & RegionShape;

/** All of a batch but what is to be seen. */
type Asked = Omit<QuestionBatch, 'images'>;

/** A prediction with logits of the type, [B, types], and of the answers of each type, [B, answers]. */
type Answers = Prediction;

const isMatrix = (tensor: Tensor | undefined): tensor is Tensor2D => tensor?.rank === 2;
const answerOf = (type: number): string => `answer${type}`;

/** @throws {RangeError} when the model answers no such questions. */
function logitsIn(prediction: Answers, name: string): Tensor2D {
  const logits = prediction[name];
  if (!isMatrix(logits)) throw new RangeError(`expected a model that answers questions: it says no ${name}`);
  return logits;
}

/**
 * Logits of all answers, [B, A], as those of the type and of the answers of each: the probability of an answer is then that of its type
 * times that among the answers of the type, so both losses of a question together are its cross-entropy among all answers.
 */
function byType(logits: Tensor2D, answers: readonly number[]): Answers {
  const [batch, all] = logits.shape;
  if (answers.reduce((sum, count) => sum + count, 0) !== all)
    throw new RangeError(`expected logits of ${answers.join(' + ')} answers, got ${all}`);
  let from = 0;
  const own = answers.map((count): Tensor2D => {
    const part: Tensor2D = slice(logits, [0, from], [batch, count]);
    from += count;
    return part;
  });
  const type = own.map((part): Tensor2D => logSumExp(part, 1, true));
  return {
    type: type.length === 1 ? (type[0] ?? logits) : concat<Tensor2D>(type, 1),
    ...Object.fromEntries(own.map((part, index) => [answerOf(index), part])),
  };
}

/** The mean cross-entropy of some rows of logits to their classes. */
function crossEntropy(logits: Tensor2D, rows: readonly number[], classes: Int32Array): Scalar[] {
  if (rows.length === 0) return [];
  const chosen = rows.length === logits.shape[0] ? logits : gatherRows(logits, tensor1d([...rows], 'int32'));
  const classesOf = logits.shape[1];
  const targets = new Float32Array(rows.length * classesOf);
  rows.forEach((row, place) => {
    const known = classes[row] ?? -1;
    if (known >= classesOf) throw new RangeError(`expected an answer below ${classesOf}, got ${known}`);
    if (known >= 0) targets[place * classesOf + known] = 1;
  });
  return [softmaxCrossEntropy(chosen, tensor2d(targets, [rows.length, classesOf]))];
}

const summed = (losses: readonly Scalar[]): Scalar => losses.reduce((total, loss) => add(total, loss));

/**
 * Answering questions about pictures as MDETR does (Kamath et al., 2021, Appendix D): the type of each question is told, and the
 * answer by the head of its type. The loss is the type's cross-entropy, plus for each type the mean one of its questions. Scores are
 * percent: an answer is right when the type and the answer of that type are (`accuracy`, and by type). A batch is not computed in
 * parts, as each type has a mean of its own. Its batches fail with a RangeError for a text without its end.
 */
export function questions<Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { imageSize, channels, ...options }: QuestionsOptions,
): Task<Params, QuestionBatch, Answers, HostPrediction> {
  const picturesOf = pictureInputs({ imageSize, channels });
  return answering(
    (params: Params, batch, hooks) =>
      model.forward(params, { ...picturesOf(batch), ...tokenInputs(batch), ...hooks }),
    options,
  );
}

/** The same about regions of pictures, by a model that says `logits` [B, A] of all answers. */
export function regionQuestions<Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { features, places, ...options }: RegionQuestionsOptions,
): Task<Params, RegionQuestionBatch, Answers, HostPrediction> {
  const regionsOf = regionInputs({ features, places });
  return answering(
    (params: Params, batch, hooks) =>
      model.forward(params, { ...regionsOf(batch), ...tokenInputs(batch), ...hooks }),
    options,
  );
}

function answering<Params extends TensorTree, Batch extends Asked>(
  answersOf: (params: Params, batch: Batch, hooks: Hooks | undefined) => Prediction,
  { types, endToken, answers }: AnsweringOptions,
): Task<Params, Batch, Answers, HostPrediction> {
  const names = ['type', ...types.map((_, type) => answerOf(type))];
  const between = (one: Answers, other: Answers, distance: (a: Tensor2D, b: Tensor2D) => Scalar): Scalar =>
    summed(names.map((name) => distance(logitsIn(one, name), logitsIn(other, name))));
  return {
    name: 'questions',
    metric: 'accuracy',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      const said = answersOf(params, batch, hooks);
      const { logits, ...others } = said;
      const prediction =
        answers === undefined || !isMatrix(logits) ? said : { ...others, ...byType(logits, answers) };
      for (const name of names) logitsIn(prediction, name);
      return prediction;
    },
    loss: (prediction, batch) => {
      const all = [...batch.types.keys()];
      return summed([
        nothingOf(Object.entries(prediction).flatMap(([name, tensor]) => (name === 'read' ? [] : [tensor]))),
        ...crossEntropy(logitsIn(prediction, 'type'), all, batch.types),
        ...types.flatMap((_, type) => {
          const rows = all.filter((row) => batch.types[row] === type);
          return crossEntropy(logitsIn(prediction, answerOf(type)), rows, batch.answers);
        }),
      ]);
    },
    divergence: (one, other) => between(one, other, symmetricDivergence),
    distillation: (student, teacher) =>
      between(student, teacher, (own, taught) => softmaxCrossEntropy(own, softmax(taught))),
    scorer: () => questionScorer(types),
  };
}

/** The class of the greatest logit in a row; −1 where none is greater than all others: a tie is no answer. */
function chosen(logits: HostPrediction[string] | undefined, row: number, rows: number): number {
  if (logits?.dtype !== 'float32') throw new TypeError('questions: no answers were predicted');
  const classes = logits.values.length / rows;
  const own = [...logits.values.slice(row * classes, (row + 1) * classes)];
  const best = own.reduce((most, logit, index) => (logit > (own[most] ?? Number.NaN) ? index : most), 0);
  return own.every((logit, index) => index === best || logit < (own[best] ?? Number.NaN)) ? best : -1;
}

function questionScorer(names: readonly string[]): Scorer<HostPrediction, Asked> {
  const types: number[] = [];
  const answers: number[] = [];
  const predictedTypes: number[] = [];
  const predictedAnswers: number[] = [];
  return {
    add: (prediction, batch) => {
      batch.types.forEach((type, row) => {
        types.push(type);
        const answer = batch.answers[row] ?? -1;
        // Equal to nothing that is chosen, not even to no choice.
        answers.push(answer >= 0 ? answer : Number.NaN);
        predictedTypes.push(chosen(prediction['type'], row, batch.size));
        predictedAnswers.push(chosen(prediction[answerOf(type)], row, batch.size));
      });
    },
    scores: (): Scores => {
      const { all, byType } = answerAccuracy(
        { types, answers, predictedTypes, predictedAnswers },
        names.length,
      );
      const asked = names.flatMap((name, type): [string, number][] => {
        const score = byType[type];
        return score === undefined || Number.isNaN(score) ? [] : [[name, score]];
      });
      return { accuracy: all, ...Object.fromEntries(asked) };
    },
  };
}
