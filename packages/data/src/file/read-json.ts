import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { readText } from './read-text';

const ISSUES_LISTED = 10;

/** @throws {DataError} when the file cannot be read or is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path, 'JSON');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      {
        expected: `JSON in ${path}`,
        found: `${text === '' ? 'an empty file' : 'something else'} (${reason})`,
        advice: 'Mend the file, or fetch it anew.',
      },
      { cause },
    );
  }
}

/** @throws {DataError} that says where in the JSON something is not as expected. */
export function checkedJson<Value>(
  schema: z.ZodType<Value>,
  json: unknown,
  path: string,
  what: string,
): Value {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const more = issues.length - ISSUES_LISTED;
  throw new DataError(
    {
      expected: `${what} in ${path}`,
      found: `${z.prettifyError({ issues: issues.slice(0, ISSUES_LISTED) })}${more > 0 ? `\nand ${more} more` : ''}\n`,
      advice: 'Compare the file with the format in the README of @winnow/data.',
    },
    { cause: parsed.error },
  );
}
