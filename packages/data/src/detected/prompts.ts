import { type DetectionPrompt, type RandomStream, permutation, counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import { textCoverage } from '../tokenizer/coverage';
import type { Tokenizer } from '../tokenizer/tokenizer';

/** Between the names of a prompt. */
const SEPARATOR = '.';
/** Absent classes that a training prompt names at most, as in GLIP's code. */
const MOST_ABSENT = 85;
/** A name of more tokens is no name. */
const LONGEST_NAME = 1000;

/** The name of a class as a prompt has it: without what stands in parentheses, and with spaces for underscores (GLIP, `clean_name`). */
export const promptName = (name: string): string =>
  name
    .replace(/\([^()]*\)/g, ' ')
    .replaceAll('_', ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** The text of a prompt: names joined by ". ". */
export const promptText = (names: readonly string[]): string => names.map(promptName).join(`${SEPARATOR} `);

/** A line for a person, where there are names with words that the tokenizer does not know. */
export function unknownNameNotes(tokenizer: Tokenizer, names: readonly string[]): string[] {
  const unknown = names.filter(
    (name) => textCoverage(tokenizer, [promptName(name)], LONGEST_NAME).unknown > 0,
  );
  return unknown.length === 0
    ? []
    : [
        `the vocabulary does not know all words of ${unknown.length} of ${counted(names.length, 'class', 'classes')}:${firstTen(unknown.map(visibly))}`,
      ];
}

/** Writes lists of classes for a text tower. */
export interface PromptWriter {
  /** A prompt of some classes, in this order: as many as fit, the first ones. */
  write(classes: readonly number[]): DetectionPrompt;
  /** Prompts that together name all classes, each as many as fit. */
  readonly chunks: readonly DetectionPrompt[];
}

export interface PromptOptions {
  /** Tokens of the longest text, start and end included. */
  readonly context: number;
  /** Fills every prompt up to the context, for towers that read its last place. Default false. */
  readonly fillsContext?: boolean;
}

/** Tokens of a text without its start and its end. */
function innerTokens(tokenizer: Tokenizer, text: string): number[] {
  const tokens = [...tokenizer.encode(text, LONGEST_NAME)];
  return tokens.slice(tokenizer.startToken === undefined ? 0 : 1, -1);
}

/** Tokens of the prompt of all classes, start and end included. */
export function wholePromptLength(tokenizer: Tokenizer, names: readonly string[]): number {
  const around = tokenizer.startToken === undefined ? 1 : 2;
  const separator = innerTokens(tokenizer, SEPARATOR).length;
  const inner = names.reduce((sum, name) => sum + innerTokens(tokenizer, promptName(name)).length, 0);
  return around + inner + separator * Math.max(0, names.length - 1);
}

/**
 * Writes prompts from the tokens of each name, which for tokenizers that split at spaces and signs are those of the joined text.
 * @throws {DataError} for names that are empty, too long for the context, or that the tokenizer cannot tell apart.
 */
export function promptWriter(
  tokenizer: Tokenizer,
  names: readonly string[],
  { context, fillsContext = false }: PromptOptions,
): PromptWriter {
  const tokensOf = names.map((name) => innerTokens(tokenizer, promptName(name)));
  const separator = innerTokens(tokenizer, SEPARATOR);
  const { startToken, endToken, padToken } = tokenizer;
  const start = startToken === undefined ? [] : [startToken];
  const room = context - start.length - 1;
  refuse(
    'names of classes',
    names.filter((_, index) => tokensOf[index]?.length === 0),
    'Give each class a name of words that the tokenizer knows.',
  );
  refuse(
    `names of classes of at most ${room} tokens`,
    names.filter((_, index) => (tokensOf[index]?.length ?? 0) > room),
    'Allow for longer texts with --context, or give shorter names.',
  );
  refuseAlike(tokenizer, names, tokensOf);

  const write = (classes: readonly number[]): DetectionPrompt => {
    const tokens = [...start];
    const named: { index: number; places: Int32Array }[] = [];
    for (const index of classes) {
      const own = tokensOf[index];
      if (own === undefined) throw new RangeError(`expected a class below ${names.length}, got ${index}`);
      const between = named.length === 0 ? [] : separator;
      if (tokens.length + between.length + own.length + 1 > context) break;
      tokens.push(...between);
      named.push({ index, places: Int32Array.from(own, (_, place) => tokens.length + place) });
      tokens.push(...own);
    }
    tokens.push(endToken);
    const padding = fillsContext ? context - tokens.length : 0;
    return { tokens: Int32Array.from([...tokens, ...Array<number>(padding).fill(padToken)]), named };
  };
  const chunks: DetectionPrompt[] = [];
  for (let first = 0; first < names.length;) {
    const chunk = write(Array.from({ length: names.length - first }, (_, place) => first + place));
    chunks.push(chunk);
    first += chunk.named.length;
  }
  return { write, chunks };
}

function refuse(expected: string, faults: readonly string[], advice: string): void {
  if (faults.length === 0) return;
  throw new DataError({
    expected,
    found: `${faults.length} that are not so:${firstTen(faults.map((name) => `'${visibly(name)}'`))}\n`,
    advice,
  });
}

/** @throws {DataError} for classes of the same tokens: names that the tokenizer does not know, or that differ in signs that are left out. */
function refuseAlike(
  { unknownToken }: Tokenizer,
  names: readonly string[],
  tokensOf: readonly (readonly number[])[],
): void {
  const seen = new Map<string, string>();
  const alike: string[] = [];
  names.forEach((name, index) => {
    const key = tokensOf[index]?.join() ?? '';
    const other = seen.get(key);
    if (other === undefined) seen.set(key, name);
    else alike.push(`'${visibly(other)}' and '${visibly(name)}'`);
  });
  if (alike.length === 0) return;
  const isUnknown = tokensOf.some((tokens) => tokens.some((token) => token === unknownToken));
  throw new DataError({
    expected: 'names of classes that a prompt tells apart',
    found: `${alike.length} that read the same:${firstTen(alike)}\n`,
    advice: isUnknown
      ? 'The tokenizer does not know their words: choose one that does, such as the vocabulary of CLIP.'
      : 'Give each class a name of its own.',
  });
}

/**
 * The classes of a training prompt (GLIP, `create_queries_and_maps_from_dataset`): all that are present and n that are absent, shuffled,
 * where n is as many as there are up to 85 half of the time, and else drawn from 1 to that.
 * @param fits Classes that fit, of some in order: present ones go first.
 */
export function drawnClasses(
  present: readonly number[],
  count: number,
  random: RandomStream,
  fits: (classes: readonly number[]) => number,
): readonly number[] {
  const isPresent = new Set(present);
  const absent = Array.from({ length: count }, (_, index) => index).filter((index) => !isPresent.has(index));
  const most = Math.min(MOST_ABSENT, absent.length);
  const isFull = random.uniform() < 0.5;
  const wanted = most === 0 || isFull ? most : 1 + random.integer(most);
  const order = permutation(absent.length, random);
  const chosen = [...present, ...[...order.subarray(0, wanted)].map((place) => absent[place] ?? 0)];
  const kept = chosen.slice(0, fits(chosen));
  return [...permutation(kept.length, random)].map((place) => kept[place] ?? 0);
}
