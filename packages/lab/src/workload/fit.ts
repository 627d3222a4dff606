import { type TextTowerConfig, UserError, type VisionTowerConfig } from '@winnow/core';
import type { Tokenizer } from '@winnow/data';

/**
 * Checks that a text tower reads what a tokenizer makes. Its embedding may have more rows than there are tokens.
 * @throws {UserError} when it has fewer, or looks for another end.
 */
export function checkTokens(
  { vocabulary, endToken }: Pick<TextTowerConfig, 'vocabulary' | 'endToken'>,
  tokenizer: Pick<Tokenizer, 'vocabulary' | 'endToken'>,
): void {
  const advice = 'choose the tokenizer it was trained with';
  if (tokenizer.vocabulary > vocabulary) {
    throw new UserError(
      `the model knows ${vocabulary} tokens, but the tokenizer has ${tokenizer.vocabulary}: ${advice}`,
    );
  }
  if (endToken === 'last') return;
  if (endToken === 'greatest') {
    const greatest = tokenizer.vocabulary - 1;
    if (tokenizer.endToken === greatest) return;
    throw new UserError(
      `the model reads a text at its greatest token, but the tokenizer ends texts with ${tokenizer.endToken} and has ` +
        `tokens up to ${greatest}: ${advice}`,
    );
  }
  if (tokenizer.endToken !== endToken) {
    throw new UserError(
      `the model ends texts with the token ${endToken}, but the tokenizer with ${tokenizer.endToken}: ${advice}`,
    );
  }
}

/** Fills texts up to their length for a tower: one that reads the last place of its context has every text filled up to it. */
export const textFilling = ({ endToken }: Pick<TextTowerConfig, 'endToken'>) => ({
  fillsContext: endToken === 'last',
});

/** @throws {UserError} when a vision tower takes pictures of other channels than the data has. */
export function checkChannels(
  { channels }: Pick<VisionTowerConfig, 'channels'>,
  data: { readonly name: string; readonly channels: number },
): void {
  if (channels !== data.channels) {
    throw new UserError(
      `the model takes pictures of ${channels} channels, but ${data.name} has ${data.channels}`,
    );
  }
}

/**
 * Checks that a head that goes on tells the classes of a task apart in its order.
 * @throws {UserError} where a model has other names for as many answers.
 */
export function checkClassNames(
  task: { readonly name: string; readonly classNames?: readonly string[] },
  given: { readonly classNames: readonly string[] | undefined },
): void {
  const [own, theirs] = [task.classNames, given.classNames];
  if (own === undefined || theirs?.length !== own.length) return;
  if (own.every((name, index) => name === theirs[index])) return;
  throw new UserError(
    `the model's answers are ${theirs.join(', ')}, and ${task.name} has ${own.join(', ')}, in this order: train it on with --task ${task.name} --head new`,
  );
}
