import yaml from 'yaml';
import type { YAMLError } from 'yaml/util';
import { type ZodType, z } from 'zod';
import { FormatError } from './format-error';
import { checkJson } from './json';
import { lineAndColumn, readBytes, textOf } from './read-file';

/** A file of YAML, as people write them: options, descriptions. JSON is YAML too. */
export interface YamlFileFormat<Content> {
  readonly schema: ZodType<Content>;
  /** Name of the kind of file, for errors: `a config file`. */
  readonly what: string;
}

/*
 * People write a few hundred lines. The parser's work grows with the square of the keys and faster with nesting, so that
 * files of other sizes are refused before it sees them.
 */
const MOST_BYTES = 2 ** 18;
const MOST_KEYS = 5000;
const MOST_EXPLICIT_KEYS = 16;
const DEEPEST = 64;
const LISTS_IN_A_LINE = new RegExp(`(?:- +){${DEEPEST}}`);
/** Repetitions by aliases, over the whole file. */
const MOST_ALIASES = 100;

/**
 * Reads a file of YAML or JSON; an empty one is an empty record.
 * @throws {FormatError} naming the file and its line and column, or the place in it, and what was expected there.
 */
export async function readYaml<Content>(
  file: string,
  { schema, what }: YamlFileFormat<Content>,
): Promise<Content> {
  const text = textOf(file, await readBytes(file, { mostBytes: MOST_BYTES }));
  return checkJson(file, valueIn(file, text), schema, what);
}

function valueIn(file: string, text: string): unknown {
  checkText(file, text);
  try {
    const document = yaml.parseDocument(text, { maxAliasCount: MOST_ALIASES, keepCstNodes: true });
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault !== undefined) throw notYaml(file, `${fault.message}${placeOf(fault, text)}`, fault);
    const value: unknown = document.toJSON() ?? {};
    checkDepth(file, value);
    return value;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    // The stack is the only range that the parser can leave.
    if (error instanceof RangeError) throw tooDeep(file);
    throw notYaml(file, error instanceof Error ? error.message : String(error), error);
  }
}

const notYaml = (file: string, reason: string, cause: unknown): FormatError =>
  new FormatError(`${file} is neither YAML nor JSON: ${reason}`, { cause });

const tooDeep = (file: string): FormatError =>
  new FormatError(`${file}: expected values at most ${DEEPEST} levels deep, got more`);

/** @throws {FormatError} for a text that would cost the parser more than a file of options is worth. */
function checkText(file: string, text: string): void {
  const keys = text.split(':').length - 1;
  if (keys > MOST_KEYS) throw new FormatError(`${file}: expected at most ${MOST_KEYS} keys, got ${keys}`);
  const explicit = text.match(/(?<![^\s[{,:?-])\?(?!\S)/g)?.length ?? 0;
  if (explicit > MOST_EXPLICIT_KEYS) {
    throw new FormatError(
      `${file}: expected at most ${MOST_EXPLICIT_KEYS} keys written with "? ", got ${explicit}`,
    );
  }
  if (LISTS_IN_A_LINE.test(text)) throw tooDeep(file);
  let depth = 0;
  for (const sign of text) {
    if (sign === '[' || sign === '{') depth++;
    else if ((sign === ']' || sign === '}') && depth > 0) depth--;
    if (depth > DEEPEST) throw tooDeep(file);
  }
}

/** @throws {FormatError} for values that are deeper than allowed; those that contain themselves have no end. */
function checkDepth(file: string, value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > DEEPEST) throw tooDeep(file);
  for (const inner of Object.values(value)) checkDepth(file, inner, depth + 1);
}

/** Where a fault lies, as far as the parser says it. */
function placeOf({ message, source, range }: YAMLError, text: string): string {
  const twice = /^Map keys must be unique; "(.*)" is repeated$/s.exec(message)?.[1];
  const start = repeated(source, twice) ?? range?.start ?? source?.range?.start;
  return start === undefined ? '' : ` at ${lineAndColumn(text, start)}`;
}

/** The part of the parser's record of a map that tells where its keys are. */
const keysOfMap = z.object({
  items: z.array(
    z.object({ strValue: z.unknown().optional(), range: z.object({ start: z.number() }).nullish() }),
  ),
});

/** Where a key stands for the second time. */
function repeated(map: unknown, key: string | undefined): number | undefined {
  const known = keysOfMap.safeParse(map).data?.items ?? [];
  return known.filter(({ strValue }) => key !== undefined && strValue === key)[1]?.range?.start;
}
