import { type Scalar, type Tensor2D, mul, softmax, tensor2d } from '@tensorflow/tfjs-core';
import type { AnswerBatch } from '../data/dataset';
import { likeliestAnswers } from '../decoding/likeliest-answers';
import type { Blip } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import type { Logits } from '../families/prediction';
import { checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { vqaScore } from '../writing/answers';
import { LABEL_SMOOTHING } from './captions';
import { type PictureShape, pictureInputs, picturesBetween, tokenInputs } from './inputs';
import { logitsOf, symmetricDivergence } from './logits';
import { begunWith, nextWordLoss, nextWords, ofWords } from './next-words';
import type { Scorer, Scores, Task } from './task';

export interface AnswerOptions extends PictureShape {
  /** Answers that there are, each by its text and its tokens with a start and an end. */
  readonly answers: readonly { readonly text: string; readonly tokens: Int32Array }[];
  /** Names of the types of questions, for the scores. */
  readonly types: readonly string[];
  /** Answers of which the whole likelihood is computed: those whose first word is likeliest. */
  readonly candidates?: number;
}

/** As in BLIP. */
export const ANSWER_CANDIDATES = 128;

/**
 * Answering questions in words (Li et al., 2022, BLIP): the answer is learned word by word, with smoothed labels, the sum over its words, and an
 * answer is the likeliest of those that there are. Scores are percent, by VQA's rule (`accuracy`, and by type): an exact match after
 * normalising where one answer is right. Its batches fail with a RangeError for a question without its end.
 */
export function answers(
  { config, passes, forward }: Pick<Blip, 'config' | 'passes' | 'forward'>,
  { answers: known, types, candidates = ANSWER_CANDIDATES, ...shape }: AnswerOptions,
): Task<BlipParams, AnswerBatch, Logits, readonly string[]> {
  const { start, end } = config.tokens;
  const picturesOf = pictureInputs(shape);
  const answerLength = ({ answers: tokens, size }: AnswerBatch): number => tokens.length / size;
  const nextOf = (batch: AnswerBatch) => nextWords(batch.answers, answerLength(batch), end);
  const wordsOf = ({ logits }: Logits, batch: AnswerBatch): Tensor2D => ofWords(logits, nextOf(batch));
  return {
    name: 'answers',
    metric: 'accuracy',
    predict: (params, batch, hooks) => {
      const { tokens, texts, size } = batch;
      checkTextEnds(tokens, tokens.length / texts, end);
      const length = answerLength(batch);
      const written = tensor2d(begunWith(batch.answers, length, start), [size, length], 'int32');
      return logitsOf(
        forward(params, { ...picturesOf(batch), ...tokenInputs(batch), answers: written, ...hooks }),
      );
    },
    loss: ({ logits }, batch) => {
      const next = nextOf(batch);
      return mul<Scalar>(nextWordLoss(logits, next, LABEL_SMOOTHING), next.rows.length / batch.size);
    },
    divergence: (one, other, batch) => symmetricDivergence(wordsOf(one, batch), wordsOf(other, batch)),
    distillation: (student, teacher, batch) =>
      softmaxCrossEntropy(wordsOf(student, batch), softmax(wordsOf(teacher, batch))),
    answer: async (params, batch) => {
      checkTextEnds(batch.tokens, batch.tokens.length / batch.texts, end);
      const memory = () => {
        const seen = passes.see(params, picturesOf(batch).images);
        return passes.ask(params, tokenInputs(batch).tokens, seen);
      };
      const tokens = known.map((answer) => begunWith(answer.tokens, answer.tokens.length, start));
      const chosen = await likeliestAnswers(passes, params, memory, { answers: tokens, candidates, end });
      return chosen.map((index) => known[index]?.text ?? '');
    },
    scorer: () => answerScorer(types),
    slice: (batch, from, to) => {
      const [length, answered] = [batch.tokens.length / batch.texts, answerLength(batch)];
      return {
        ...picturesBetween(batch, from, to),
        texts: to - from,
        tokens: batch.tokens.subarray(from * length, to * length),
        answers: batch.answers.subarray(from * answered, to * answered),
        given: batch.given.slice(from, to),
        types: batch.types.subarray(from, to),
      };
    },
  };
}

function answerScorer(names: readonly string[]): Scorer<readonly string[], AnswerBatch> {
  const scores: { readonly type: number; readonly score: number }[] = [];
  const meanOf = (own: typeof scores): number =>
    (100 * own.reduce((sum, { score }) => sum + score, 0)) / own.length;
  return {
    add: (answered, { given, types }) => {
      given.forEach((right, row) => {
        scores.push({ type: types[row] ?? -1, score: vqaScore(answered[row] ?? '', right) });
      });
    },
    scores: (): Scores => {
      const asked = names.flatMap((name, type): [string, number][] => {
        const own = scores.filter((each) => each.type === type);
        return own.length === 0 ? [] : [[name, meanOf(own)]];
      });
      return { accuracy: meanOf(scores), ...Object.fromEntries(asked) };
    },
  };
}
