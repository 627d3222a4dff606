import { type Json, UserError } from '@winnow/core';
import { z } from 'zod';

/** No path and no name has a NUL; the command line cannot say one, but a file can. */
const text = z.string().regex(/^[^\0]*$/, 'expected text without a NUL character');

const value: z.ZodType<Json> = z.lazy(() =>
  z.union([text, z.number(), z.boolean(), z.null(), z.array(value), z.record(text, value)]),
);

/** Options by name as a file holds them: plain data, not yet checked against what there is. */
export const givenValues: z.ZodType<Readonly<Record<string, Json>>> = z.record(text, value);

/**
 * Reads those of the given options on which others depend, before all of them are checked.
 * @throws {UserError} naming the option that is of another kind.
 */
export function chosenIn<Chosen>(schema: z.ZodType<Chosen>, given: unknown): Chosen {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const lines = error.issues.map(
    ({ path, message }) =>
      `${path.join('.')}: ${message.replace(/^Invalid input: (expected .*), received /, '$1, got ')}`,
  );
  throw new UserError(lines.join('; '));
}
