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

/** Texts about something that has a name. */
interface Said {
  readonly name: string;
  readonly texts: readonly string[];
}

/** Names whose texts read the same to a tokenizer, in groups of two and more. */
export function readAlike(tokenizer: Tokenizer, said: readonly Said[], context: number): string[][] {
  const sameAs = new Map<string, string[]>();
  for (const { name, texts } of said) {
    const tokens = texts.map((text) => [...tokenizer.encode(text, context)].join()).join(';');
    sameAs.set(tokens, [...(sameAs.get(tokens) ?? []), name]);
  }
  return [...sameAs.values()].filter((names) => names.length > 1);
}

/**
 * Notes for a person on how the prompts of a zero-shot classification are read, a line each.
 * @throws {UserError} when those of all classes read the same.
 */
export function promptNotes(tokenizer: Tokenizer, { classes, prompts, context }: Prompts): string[] {
  const said = classes.map((name) => ({ name, texts: promptsOf(name, prompts) }));
  const alike = readAlike(tokenizer, said, context);
  if (alike[0]?.length === classes.length) {
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
