import { type Tensor2D, logSoftmax, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import type { BlipPasses } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import { keptMemory, memoryOfEach } from '../families/memory-rows';
import type { Memory } from '../layers/cross-block';

export interface AnswerChoice {
  /** Answers by their tokens: the start token, words, and the end token. */
  readonly answers: readonly Int32Array[];
  /** Answers whose first word is likeliest, of which the whole likelihood is computed. */
  readonly candidates: number;
  readonly end: number;
}

/**
 * Chooses for each memory the answer that is likeliest as a whole, of those whose first word is likeliest (Li et al., 2022, BLIP: the code's
 * `rank_answer`). Of equally likely ones it is the first.
 * @param memory Makes what the decoder looks at, in a tidy.
 * @returns The index of each memory's answer.
 * @throws {RangeError} without answers.
 */
export async function likeliestAnswers(
  passes: Pick<BlipPasses, 'begin' | 'advance' | 'write'>,
  params: BlipParams,
  memory: () => Memory,
  { answers, candidates, end }: AnswerChoice,
): Promise<number[]> {
  const [sample] = answers;
  if (sample === undefined) throw new RangeError('expected answers to choose from, got none');
  const { memory: held, release } = keptMemory(memory);
  try {
    const count = held.states.shape[0] / held.tokens;
    const first = tidy(() => {
      const starts = tensor1d(Array<number>(count).fill(sample[0] ?? end), 'int32');
      return logSoftmax<Tensor2D>(passes.advance(params, starts, passes.begin(params, held)).logits);
    });
    const firsts = await first.data<'float32'>();
    first.dispose();
    const words = firsts.length / count;
    const each = Math.min(candidates, answers.length);
    const chosen = Array.from({ length: count }, (_, row) =>
      greatest(
        answers.map((tokens) => firsts[row * words + (tokens[1] ?? end)] ?? -Infinity),
        each,
      ),
    );
    const likelihoods = await wholeLikelihoods(passes, params, held, { answers, chosen, end });
    return chosen.map((indices, row) => {
      const [best = 0] = greatest(likelihoods.slice(row * each, (row + 1) * each), 1);
      return indices[best] ?? 0;
    });
  } finally {
    release();
  }
}

/** Σ log p of the words of each memory's answers, one memory after the other. */
async function wholeLikelihoods(
  { write }: Pick<BlipPasses, 'write'>,
  params: BlipParams,
  memory: Memory,
  {
    answers,
    chosen,
    end,
  }: Pick<AnswerChoice, 'answers' | 'end'> & { readonly chosen: readonly (readonly number[])[] },
): Promise<number[]> {
  const length = Math.max(...answers.map((tokens) => tokens.length));
  const rows = chosen.flat().map((index) => answers[index] ?? new Int32Array());
  const tokens = new Int32Array(rows.length * length).fill(end);
  rows.forEach((own, row) => {
    tokens.set(own, row * length);
  });
  const places = Int32Array.from(chosen.flatMap((indices, place) => indices.map(() => place)));
  const logits = tidy(() =>
    logSoftmax<Tensor2D>(
      write(params, tensor2d(tokens, [rows.length, length], 'int32'), memoryOfEach(memory, places)),
    ),
  );
  const [, words] = logits.shape;
  const values = await logits.data<'float32'>();
  logits.dispose();
  return rows.map((own, row) =>
    own
      .slice(1)
      .reduce((sum, word, place) => sum + (values[(row * length + place) * words + word] ?? NaN), 0),
  );
}

/** Indices of the greatest values, the greatest first, of equal ones the earlier. */
const greatest = (values: readonly number[], count: number): number[] =>
  [...values.keys()]
    .sort((one, other) => (values[other] ?? 0) - (values[one] ?? 0) || one - other)
    .slice(0, count);
