import { UserError } from '@winnow/core';
import { type Tokenizer, textCoverage } from '@winnow/data';
import { listedNames } from '../workload/class-order';
import { readAlike } from '../workload/prompts';

/** All texts are embedded at once: as many as ImageNet has classes. */
const MOST_TEXTS = 1000;

/**
 * The texts that pictures are told apart by, separated by |.
 * @throws {UserError} when there are fewer than two or more than 1000, or one is empty.
 */
export function textsIn(given: string): readonly string[] {
  const texts = given.split('|').map((text) => text.trim());
  if (texts.includes(''))
    throw new UserError(`--texts: expected texts between |, got ${JSON.stringify(given)}`);
  if (texts.length < 2 || texts.length > MOST_TEXTS) {
    throw new UserError(
      `--texts: expected 2 to ${MOST_TEXTS} texts, like "a cat|a dog", got ${texts.length}: one is told from the others`,
    );
  }
  return texts;
}

/**
 * Looks at how texts are read.
 * @param context Longest text in tokens, start and end included.
 * @returns notes for a person, a line each.
 * @throws {UserError} when there are several, and all read the same.
 */
export function checkTexts(tokenizer: Tokenizer, texts: readonly string[], context: number): string[] {
  const said = texts.map((text) => ({ name: text, texts: [text] }));
  const alike = readAlike(tokenizer, said, context);
  if (texts.length > 1 && alike[0]?.length === texts.length) {
    throw new UserError(
      `--texts: all ${texts.length} texts read the same to this model, for its vocabulary does not know their words, or they ` +
        `are cut at ${context} tokens: a vocabulary of byte pairs, such as CLIP's, knows all words`,
    );
  }
  const coverage = texts.map((text) => ({ text, ...textCoverage(tokenizer, [text], context) }));
  const unknown = coverage.filter((each) => each.unknown > 0).map(({ text }) => text);
  const cut = coverage.filter(({ cutTexts }) => cutTexts > 0).map(({ text }) => text);
  return [
    ...(unknown.length === 0
      ? []
      : [
          `the vocabulary does not know all words of ${unknown.length} of ${texts.length} texts: ${listedNames(unknown)}`,
        ]),
    ...alike.map((names) => `these texts read the same and cannot be told apart: ${listedNames(names)}`),
    ...(cut.length === 0 ? [] : [`longer than ${context} tokens, and cut: ${listedNames(cut)}`]),
  ];
}
