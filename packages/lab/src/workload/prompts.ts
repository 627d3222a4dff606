import { UserError } from '@winnow/core';
import { type Tokenizer, textCoverage } from '@winnow/data';
import { listedNames } from './class-order';

/** Where the name of a class goes in a prompt. */
export const NAME = '{}';

/** Fills the name of a class into the prompts. */
export const promptsOf = (name: string, prompts: readonly string[]): string[] =>
  prompts.map((prompt) => prompt.replaceAll(NAME, name));

export interface Prompts {
  readonly classes: readonly string[];
  /** With {} for the name of a class. */
  readonly prompts: readonly string[];
  /** Longest text in tokens, start and end included. */
  readonly context: number;
}

/**
 * Notes for a person on how the prompts of a zero-shot classification are read, a line each.
 * @throws {UserError} when those of all classes read the same.
 */
export function promptNotes(tokenizer: Tokenizer, { classes, prompts, context }: Prompts): string[] {
  const said = classes.map((name) => ({ name, texts: promptsOf(name, prompts) }));
  const sameAs = new Map<string, string[]>();
  for (const { name, texts } of said) {
    const tokens = texts.map((text) => [...tokenizer.encode(text, context)].join()).join(';');
    sameAs.set(tokens, [...(sameAs.get(tokens) ?? []), name]);
  }
  const alike = [...sameAs.values()].filter((names) => names.length > 1);
  if (alike.length > 0 && sameAs.size === 1) {
    throw new UserError(
      `--zero-shot: the prompts of all ${classes.length} classes read the same to this model, for its vocabulary does not know ` +
        `their names (${listedNames(classes)}), or they are cut at ${context} tokens: a vocabulary of byte pairs, such as CLIP's, knows all words`,
    );
  }
  const hasUnknown = (text: string) => textCoverage(tokenizer, [text], context).unknown > 0;
  const unknown = classes.filter(hasUnknown);
  const odd = prompts.filter((prompt) => hasUnknown(prompt.replaceAll(NAME, ' ')));
  const { cutTexts } = textCoverage(
    tokenizer,
    said.flatMap(({ texts }) => texts),
    context,
  );
  return [
    ...(unknown.length === 0
      ? []
      : [
          `the vocabulary does not know all words of ${unknown.length} of ${classes.length} class names: ${listedNames(unknown)}`,
        ]),
    ...(odd.length === 0
      ? []
      : [`the vocabulary does not know all words of the prompts ${listedNames(odd)}`]),
    ...alike.map((names) => `these classes read the same and cannot be told apart: ${listedNames(names)}`),
    ...(cutTexts === 0
      ? []
      : [
          `${cutTexts} of ${said.length * prompts.length} prompts are longer than ${context} tokens, and cut`,
        ]),
  ];
}
