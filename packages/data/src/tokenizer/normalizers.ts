import { z } from 'zod';
import { charsmapNormaliser } from './charsmap';
import { classPattern } from './class-pattern';
import { lowerCased, withoutSpaces } from './text';

type Normalise = (text: string) => string;

const MOST_NORMALIZERS = 64;
const LONGEST_TEXT = 1024;
/** SentencePiece's largest, nmt_nfkc_cf, is 0.4 MB as base64. */
const LONGEST_CHARSMAP = 8 * 2 ** 20;

const short = z.string().max(LONGEST_TEXT);

const unicodeForm = (form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD') =>
  z.object({ type: z.literal(form) }).transform((): Normalise => (text) => text.normalize(form));

const lowercase = z.object({ type: z.literal('Lowercase') }).transform((): Normalise => lowerCased);

const strip = z
  .object({
    type: z.literal('Strip'),
    strip_left: z.boolean().default(true),
    strip_right: z.boolean().default(true),
  })
  .transform(({ strip_left, strip_right }): Normalise => {
    return (text) => withoutSpaces(text, { left: strip_left, right: strip_right });
  });

const prepend = z.object({ type: z.literal('Prepend'), prepend: short }).transform(
  ({ prepend: before }): Normalise =>
    (text) =>
      text === '' ? text : before + text,
);

const replace = z
  .object({
    type: z.literal('Replace'),
    pattern: z.union([z.object({ String: short.min(1) }), z.object({ Regex: short })]),
    content: short,
  })
  .transform(({ pattern, content }, context): Normalise => {
    if ('String' in pattern) return (text) => text.split(pattern.String).join(content);
    const expression = classPattern(pattern.Regex);
    if (expression !== undefined) return (text) => text.replace(expression, () => content);
    const shown = JSON.stringify(pattern.Regex.slice(0, 60));
    context.addIssue({
      code: 'custom',
      path: ['pattern'],
      message: `expected a pattern of one class of characters, got ${shown}`,
    });
    return z.NEVER;
  });

const precompiled = z
  .object({
    type: z.literal('Precompiled'),
    precompiled_charsmap: z
      .base64()
      .max(LONGEST_CHARSMAP)
      .transform((text) => Buffer.from(text, 'base64')),
  })
  .transform(({ precompiled_charsmap: bytes }, context): Normalise => {
    try {
      return charsmapNormaliser(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', path: ['precompiled_charsmap'], message: error.message });
      return z.NEVER;
    }
  });

/** The kinds of normalisers that are read, by their type in a tokenizer.json. */
const kinds = {
  Lowercase: lowercase,
  NFC: unicodeForm('NFC'),
  NFD: unicodeForm('NFD'),
  NFKC: unicodeForm('NFKC'),
  NFKD: unicodeForm('NFKD'),
  Precompiled: precompiled,
  Prepend: prepend,
  Replace: replace,
  Strip: strip,
} as const;

const named = z.looseObject({ type: z.string().max(LONGEST_TEXT) });

/** Reads a value by a schema that was chosen by its type; what is wrong with it is wrong with the whole. */
function readBy<Content>(schema: z.ZodType<Content>, given: unknown, context: z.RefinementCtx): Content {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  for (const { path, message } of error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
}

const single = named.transform((given, context): Normalise => {
  const kind = Object.entries(kinds).find(([type]) => type === given.type)?.[1];
  if (kind !== undefined) return readBy<Normalise>(kind, given, context);
  const known = [...Object.keys(kinds), 'Sequence'].join(', ');
  context.addIssue({
    code: 'custom',
    path: ['type'],
    message: `expected a normalizer of a type among ${known}, got ${given.type.slice(0, 40)}`,
  });
  return z.NEVER;
});

const sequence = z.object({ normalizers: z.array(single).max(MOST_NORMALIZERS) }).transform(
  ({ normalizers: all }): Normalise =>
    (text) =>
      all.reduce((normalised, normalise) => normalise(normalised), text),
);

/** The normalisers of a tokenizer.json, one after the other, as a function. */
export const normalizers = named.nullable().transform((given, context): Normalise => {
  if (given === null) return (text) => text;
  return given.type === 'Sequence'
    ? readBy<Normalise>(sequence, given, context)
    : readBy<Normalise>(single, given, context);
});
