import type { OptionsSchema } from '@winnow/core';
import { z } from 'zod';
import { type PathKind, pathKinds } from './path';

/** One option, as its schema describes it. */
export interface OptionField {
  /** Its key in a config file. */
  readonly key: string;
  readonly description: string;
  /** Undefined where nothing is filled in. */
  readonly defaultValue: unknown;
  readonly choices: readonly string[] | undefined;
  readonly accepts: ReadonlySet<'number' | 'boolean' | 'string'>;
  /** The kind of path that it holds, if it does. */
  readonly path: PathKind | undefined;
}

const typed = z.object({ type: z.union([z.string(), z.array(z.string())]).optional() });
const property = typed.extend({
  description: z.string().default(''),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(typed).optional(),
  path: z.enum(pathKinds).optional(),
});
const objectSchema = z.object({ properties: z.record(z.string(), property) });

/** The options of a schema in its own order. */
export function fieldsOf(schema: OptionsSchema): OptionField[] {
  // Values that JSON Schema cannot describe (durations) come out without a type: they are text.
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(objectSchema.parse(json).properties).map(([key, field]) => ({
    key,
    description: field.description,
    defaultValue: field.default,
    choices: field.enum,
    path: field.path,
    accepts: new Set(
      [field, ...(field.anyOf ?? [])].flatMap(({ type = [] }) => [type].flat().flatMap(accepted)),
    ),
  }));
}

function accepted(type: string): ('number' | 'boolean' | 'string')[] {
  switch (type) {
    case 'number':
    case 'integer':
      return ['number'];
    case 'boolean':
      return ['boolean'];
    case 'string':
      return ['string'];
    default:
      return [];
  }
}

/**
 * Text of a flag as the value that its option takes; what does not fit stays text, for the schema to refuse. A flag that may stand
 * without a text says yes then.
 */
export function valueOf(text: string, { accepts }: OptionField): string | number | boolean {
  if (text === '' && accepts.has('boolean')) return true;
  // `0x16` is no picture of 22 pixels.
  const number = /^\s*0[box]/i.test(text) ? Number.NaN : Number(text);
  return accepts.has('number') && text.trim() !== '' && Number.isFinite(number) ? number : text;
}
