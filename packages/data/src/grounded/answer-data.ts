import type { AnswerBatch } from '@winnow/core';
import { encodeAll } from '../tokenizer/encode-all';
import {
  type FoundTold,
  type TokenizedToldData,
  type ToldPicture,
  type ToldPictureOptions,
  toldData,
} from './told-data';

/** A picture, a question about it, and its answer in words. */
export interface AnsweredExample extends ToldPicture {
  /** The answer that is learned. */
  readonly answer: string;
  /** Answers that people gave, each by one; one where a single answer is right. */
  readonly given: readonly string[];
  /** Index of the type of the question. */
  readonly type: number;
}

export interface FoundAnswers extends FoundTold<AnsweredExample> {
  /** Answers that are chosen from. */
  readonly answers: readonly string[];
  /** Names of the types. */
  readonly types: readonly string[];
}

export interface TokenizedAnswerData extends TokenizedToldData<AnswerBatch> {
  /** Answers that are chosen from, with their tokens. */
  readonly answers: readonly { readonly text: string; readonly tokens: Int32Array }[];
  readonly types: readonly string[];
  /** Tokens of the longest answer, start and end included. */
  readonly answerContext: number;
}

/** An answer has ten tokens at most, as in BLIP's code. */
const LONGEST_ANSWER = 12;

/**
 * Questions and their answers in words as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export async function answerData(
  found: FoundAnswers,
  options: ToldPictureOptions,
): Promise<TokenizedAnswerData> {
  const said = { ...found, alsoSaid: found.answers };
  const data = await toldData(said, options, (examples, { tokenizer }) => ({
    answers: encodeAll(
      tokenizer,
      examples.map(({ answer }) => answer),
      LONGEST_ANSWER,
    ).tokens,
    given: examples.map(({ given }) => given),
    types: Int32Array.from(examples, ({ type }) => type),
  }));
  const answers = found.answers.map((text) => ({
    text,
    tokens: data.tokenizer.encode(text, LONGEST_ANSWER),
  }));
  return {
    ...data,
    answers,
    types: found.types,
    answerContext: answers.reduce((most, { tokens }) => Math.max(most, tokens.length), 0),
  };
}
