import type { Json } from '@winnow/core';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import type { SiglipOptions } from './siglip-tokenizer';
import { paddingBy } from './tokenizer-file';

/** In which `transformers` looks for more about a tokenizer. */
export const SETTINGS_FILE = 'tokenizer_config.json';

const LONGEST_NAME = 256;
const name = z.string().min(1).max(LONGEST_NAME);

const settings = z.looseObject({
  tokenizer_class: name.nullish(),
  do_lower_case: z.boolean().nullish(),
  pad_token: z.union([name, z.looseObject({ content: name }).transform(({ content }) => content)]).nullish(),
});
export type TokenizerSettings = z.output<typeof settings>;

/** @throws {DataError} when they are of another kind. */
export function settingsOf(
  file: { readonly path: string; readonly content: Json } | undefined,
): TokenizerSettings {
  const { success, data, error } = settings.safeParse(file?.content ?? {});
  if (success) return data;
  const [problem] = error.issues;
  throw new DataError(
    {
      expected: `the settings of a tokenizer in ${file?.path}`,
      found: `${problem?.message} at ${problem?.path.join('.') || 'the top'}`,
      advice: 'Fetch the file again, or remove it.',
    },
    { cause: error },
  );
}

/**
 * How a SentencePiece model is read.
 * @throws {DataError} when it is another tokenizer's than SigLIP's.
 */
export function siglipOptions(
  { tokenizer_class, do_lower_case, pad_token }: TokenizerSettings,
  path: string,
): SiglipOptions {
  if (typeof tokenizer_class === 'string' && !/^Siglip(?!2)/u.test(tokenizer_class))
    throw new DataError({
      expected: `SigLIP's SentencePiece model in ${path}`,
      found: `that of a ${tokenizer_class.slice(0, 40)}, by ${SETTINGS_FILE} beside it`,
      advice: 'Give its tokenizer.json.',
    });
  return {
    ...(typeof do_lower_case === 'boolean' ? { lowerCase: do_lower_case } : {}),
    ...(typeof pad_token === 'string' ? { padToken: pad_token } : {}),
  };
}

const withPieces = z.looseObject({
  padding: z.json().optional(),
  added_tokens: z.array(z.looseObject({ content: z.string(), id: z.int() })).default([]),
  model: z.looseObject({ type: z.literal('Unigram'), vocab: z.array(z.tuple([z.string()], z.unknown())) }),
});

const kind = z.looseObject({ model: z.looseObject({ type: z.literal('Unigram') }) });
/** Whether a tokenizer.json has a unigram model. */
export const hasPieces = (file: Json): boolean => kind.safeParse(file).success;

/** A tokenizer.json that says which token texts are filled up with, as the settings beside it do and it does not. */
export function withPadding(file: Json, { pad_token }: TokenizerSettings): Json {
  const { data } = withPieces.safeParse(file);
  if (data === undefined || typeof pad_token !== 'string' || (data.padding ?? null) !== null) return file;
  const added = data.added_tokens.find(({ content }) => content === pad_token)?.id;
  const id = added ?? data.model.vocab.findIndex(([piece]) => piece === pad_token);
  return typeof file === 'object' && !Array.isArray(file)
    ? { ...file, padding: paddingBy(pad_token, Math.max(0, id)) }
    : file;
}
