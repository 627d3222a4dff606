import type { QuestionBatch } from '@winnow/core';
import {
  type FoundTold,
  type TokenizedToldData,
  type ToldPicture,
  type ToldPictureOptions,
  toldData,
} from './told-data';

/** Stands for an answer that no question of the training has: nobody can give it. */
export const NO_ANSWER = -1;

/** A picture and a question about it. */
export interface AskedExample extends ToldPicture {
  /** Index of the type of the question. */
  readonly type: number;
  /** Index of its answer among those of the type, or {@link NO_ANSWER}. */
  readonly answer: number;
}

/** Questions, and the answers that there are. */
export interface FoundQuestions extends FoundTold<AskedExample> {
  /** Types of questions by name, each with its answers. */
  readonly kinds: readonly { readonly name: string; readonly answers: readonly string[] }[];
}

/** The types and answers of questions. */
export const answersIn = (examples: readonly AskedExample[]) => ({
  types: Int32Array.from(examples, ({ type }) => type),
  answers: Int32Array.from(examples, ({ answer }) => answer),
});

/** Pictures with questions. */
export type TokenizedQuestionData = TokenizedToldData<QuestionBatch> & Pick<FoundQuestions, 'kinds'>;

/**
 * Questions as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export async function questionData(
  found: FoundQuestions,
  options: ToldPictureOptions,
): Promise<TokenizedQuestionData> {
  return { ...(await toldData(found, options, answersIn)), kinds: found.kinds };
}
