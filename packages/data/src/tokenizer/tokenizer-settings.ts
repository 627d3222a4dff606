import type { Json } from '@winnow/core';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { PUNCTUATION, type SiglipOptions, singleSpaces } from './siglip-tokenizer';
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

/** A file of JSON that lies beside a tokenizer. */
export interface JsonBeside {
  readonly path: string;
  readonly content: Json;
}

/** @throws {DataError} when they are of another kind. */
export const settingsOf = (beside: JsonBeside | undefined): TokenizerSettings =>
  beside === undefined ? {} : checked(settings, beside, 'the settings of a tokenizer');

function checked<Content>(schema: z.ZodType<Content>, { path, content }: JsonBeside, what: string): Content {
  const { success, data, error } = schema.safeParse(content);
  if (success) return data;
  const [problem] = error.issues;
  throw new DataError(
    {
      expected: `${what} in ${path}`,
      found: `${problem?.message} at ${problem?.path.join('.') || 'the top'}`,
      advice: 'Fetch the file again, or remove it.',
    },
    { cause: error },
  );
}

/**
 * Finds the settings that a SentencePiece model is read with.
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

const openClip = z.looseObject({
  model_cfg: z.looseObject({
    text_cfg: z.looseObject({
      tokenizer_kwargs: z
        .looseObject({ clean: z.enum(['canonicalize', 'lower', 'whitespace']).default('whitespace') })
        .nullish(),
    }),
  }),
});
type Cleaning = 'canonicalize' | 'lower' | 'whitespace';

/** In which open_clip says what is done with texts before the tokenizer beside it reads them. */
export const OPEN_CLIP_FILE = 'open_clip_config.json';

const normalised = z.looseObject({
  normalizer: z
    .looseObject({ type: z.string(), normalizers: z.array(z.json()).optional() })
    .nullable()
    .default(null),
});

/**
 * A tokenizer.json that cleans texts first as open_clip's `get_clean_fn` does, but for its repairs of encodings (ftfy) and of
 * HTML: a text is read as it stands.
 * @throws {DataError} when the configuration of open_clip asks for another cleaning.
 */
export function withCleaning(file: Json, beside: JsonBeside | undefined): Json {
  const tokenizer = normalised.safeParse(file).data;
  if (beside === undefined || tokenizer === undefined || typeof file !== 'object' || Array.isArray(file))
    return file;
  const { model_cfg } = checked(openClip, beside, 'the configuration of a model of open_clip');
  const cleaning = cleaningBy(model_cfg.text_cfg.tokenizer_kwargs?.clean ?? 'whitespace');
  const own = tokenizer.normalizer;
  const after = own === null ? [] : (own.normalizers ?? [z.json().parse(own)]);
  return { ...file, normalizer: { type: 'Sequence', normalizers: [...cleaning, ...after] } };
}

function cleaningBy(cleaning: Cleaning): Json[] {
  switch (cleaning) {
    case 'whitespace':
      return singleSpaces('\\s+');
    case 'lower':
      return [...singleSpaces('\\s+'), { type: 'Lowercase' }];
    case 'canonicalize':
      return [
        { type: 'Replace', pattern: { String: '_' }, content: ' ' },
        { type: 'Replace', pattern: { Regex: PUNCTUATION }, content: '' },
        { type: 'Lowercase' },
        ...singleSpaces('\\s+'),
      ];
    default:
      return cleaning satisfies never;
  }
}

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
