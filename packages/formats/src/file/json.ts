import { nonFiniteIn } from '@winnow/core';
import { type ZodType, z } from 'zod';
import { FormatError } from './format-error';
import { lineAndColumn, textOf } from './read-file';

/** Levels of brackets. Whatever walks through JSON later does so on the stack. */
const DEEPEST = 100;

/**
 * JSON bytes as the schema wants them.
 * @param what What the file should be, for errors: `the summary of a run`.
 * @throws {FormatError} naming the file and, per problem, the path inside the JSON.
 */
export function parseJson<Value>(
  file: string,
  bytes: Uint8Array,
  schema: ZodType<Value>,
  what?: string,
): Value {
  const text = textOf(file, bytes);
  checkDepth(file, bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? placed(error.message, text) : String(error);
    const found = bytes.byteLength === 0 ? 'got an empty file' : reason;
    throw new FormatError(`${file}: expected JSON; ${found}`, { cause: error });
  }
  return checkJson(file, json, schema, what);
}

/**
 * Content as the text of a file.
 * @throws {FormatError} naming the place of a number that is none (NaN or infinite): JSON has no word for it.
 */
export function jsonText(file: string, content: unknown, style: 'compact' | 'indented'): string {
  const fault = nonFiniteIn(content);
  if (fault === undefined) return JSON.stringify(content, undefined, style === 'compact' ? undefined : 2);
  throw new FormatError(
    `cannot write ${file}: ${fault}, where a number was expected. What was computed has left the range of numbers, as a ` +
      'training does that diverges: try a lower learning rate',
  );
}

/** Like `parseJson`, for JSON that was read already. */
export function checkJson<Value>(file: string, json: unknown, schema: ZodType<Value>, what?: string): Value {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const complaint = what === undefined ? 'not what was expected' : `not ${what}`;
  throw new FormatError(`${file}: ${complaint}\n${problemsIn(result.error)}`);
}

const MOST_PROBLEMS = 10;
const LONGEST_PROBLEM = 300;

/** Lists what a schema finds wrong, a line for each place. */
export function problemsIn({ issues }: z.ZodError): string {
  const lines = issues.slice(0, MOST_PROBLEMS).map((issue) => {
    const { path, message } = innermost(issue);
    const place = path.length === 0 ? 'at the top' : `at ${z.core.toDotPath(path)}`;
    const text = `  ${place}: ${plain([message])}`;
    return text.length > LONGEST_PROBLEM ? `${text.slice(0, LONGEST_PROBLEM)}…` : text;
  });
  const more = issues.length - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}

type Problem = Pick<z.core.$ZodIssue, 'path' | 'message'>;

/** Finds what is wrong with a value that may have several forms: the one that fits best says it. */
function innermost(issue: z.core.$ZodIssue): Problem {
  if (issue.code !== 'invalid_union') return issue;
  const candidates = issue.errors.flatMap((errors): Problem[] => {
    const [first] = errors;
    return first === undefined ? [] : [innermost(first)];
  });
  candidates.sort((a, b) => b.path.length - a.path.length);
  const [best] = candidates;
  if (best === undefined) return issue;
  const { path, message } = best;
  return path.length > 0 || candidates.length === 1
    ? { path: [...issue.path, ...path], message }
    : { path: issue.path, message: plain(candidates.map(({ message }) => message)) };
}

/** Messages of the schema about one value in the words of the others; those about its type become one. */
function plain(messages: readonly string[]): string {
  const types = messages.map((message) => /^Invalid input: expected (.*), received (.*)$/.exec(message));
  const found = types.flatMap((match) => match?.[2] ?? [])[0];
  const expected = [...new Set(types.flatMap((match) => match?.[1] ?? []))];
  const others = messages.filter((_, place) => types[place] === null);
  return [
    ...(found === undefined ? [] : [`expected ${expected.join(' or ')}, got ${found}`]),
    ...new Set(others),
  ].join('; or: ');
}

/** @throws {FormatError} when brackets stand in more than so many others. */
export function checkDepth(file: string, bytes: Uint8Array): void {
  const [quote, backslash] = [0x22, 0x5c];
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === backslash) at++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > DEEPEST) {
      throw new FormatError(
        `${file}: expected at most ${DEEPEST} brackets within each other, got more at byte ${at}`,
      );
    }
  }
}

/** Offsets in a message as line and column. */
const placed = (message: string, text: string): string =>
  message.replace(
    / at position (\d+)(?: \(line \d+ column \d+\))?/,
    (_, offset: string) => ` at ${lineAndColumn(text, Number(offset))}`,
  );
