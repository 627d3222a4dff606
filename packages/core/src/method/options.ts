import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { UserError } from '../error/user-error';
import { unitGrains } from '../sites/whole';
import { type Duration, isDuration } from '../duration/duration';

/** An options record: one zod object gives its type, its flags and help, its validation and its place in a run's hash. */
export type OptionsSchema = z.ZodObject;

/** A duration option: `'3ep'` or `'200it'`. */
export const durationOption = z.custom<Duration>(
  (value) => typeof value === 'string' && isDuration(value),
  'expected a duration like 3ep or 200it',
);

/** The units that a method decides about. */
export const unitsOption = z
  .enum(unitGrains)
  .default('dimensions')
  .describe(
    'of attention dimensions of all heads go, or whole heads, and hidden units either way; or whole blocks, which leaves fewer of them',
  );

/** `learning-rate` and `learningRate` → `lr`. */
const initialsOf = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .split('-')
    .map((word) => word.charAt(0).toLowerCase())
    .join('');

/** The known name nearest to a mistyped one, if one is near, or the one that it abbreviates: `lr` is `learning-rate`. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
  const abbreviated = known.filter(
    (candidate) => candidate !== name && initialsOf(candidate) === name.toLowerCase(),
  );
  if (name.length > 1 && abbreviated.length === 1) return abbreviated[0];
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined &&
    best.edits < name.length &&
    best.edits <= Math.max(2, Math.floor(name.length / 3))
    ? best.candidate
    : undefined;
}

/**
 * Options from unchecked values; what is left out takes its default.
 * @param nameOf Says an option's key as its user knows it.
 * @throws {UserError} naming each unknown key (with the nearest known one) and each value that is not allowed.
 */
export function parseOptions<Schema extends OptionsSchema>(
  schema: Schema,
  values: unknown,
  what: string,
  nameOf: (key: string) => string = (key) => key,
): z.output<Schema> {
  const parsed = schema.strict().safeParse(values, { reportInput: true });
  if (parsed.success) return schema.parse(values);
  const known = Object.keys(schema.shape);
  const lines = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) =>
          issue.path.length === 0
            ? unknownKey(key, known)
            : `${nameOf(issue.path.join('.'))}: unknown option ${key}`,
        )
      : [`${nameOf(issue.path.join('.'))}: ${messageOf(issue)}`],
  );
  throw new UserError(`${what}:\n  ${lines.join('\n  ')}`);
}

const LONGEST_SHOWN = 100;

/** A value of another type is shown as it was given. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type' || issue.input === undefined) return issue.message;
  const kind = issue.expected === 'int' ? 'a whole number' : `a ${issue.expected}`;
  const shown = JSON.stringify(issue.input) ?? String(issue.input);
  return `expected ${kind}, got ${shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = suggestion(key, known);
  return near === undefined
    ? `unknown option ${key}; known are ${known.join(', ')}`
    : `unknown option ${key}; did you mean ${near}?`;
}
