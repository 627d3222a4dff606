import type { Json } from '@winnow/core';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { type SentencePieceModel, pieceOfKind, sentencePieceModel } from './sentencepiece-model';
import type { Tokenizer } from './tokenizer';
import { paddingBy, tokenizerFile } from './tokenizer-file';
import { tokenizerFrom } from './tokenizer-from';
import { SPACE_MARK } from './unigram-file';

/** Python's `string.punctuation`, as a class of Oniguruma. */
export const PUNCTUATION = '[!"\\#\\$%\\&\'\\(\\)\\*\\+,\\-\\./:;<=>\\?@\\[\\\\\\]\\^_`\\{\\|\\}\\~]';

export interface SiglipOptions {
  /** Whether texts are read in lower case: default. */
  readonly lowerCase?: boolean;
  /** The piece that texts are filled up with; default: the end token. */
  readonly padToken?: string;
}

/**
 * SigLIP's tokenizer (Zhai et al., 2023) over a SentencePiece model, as the published `tokenizer.json` beside it describes it: texts in lower
 * case, without punctuation, with single spaces and none at their ends (`canonicalize_text` of big_vision), in SentencePiece's normal form, an end
 * token behind them. transformers' SiglipTokenizer gives spaces at the beginning of a text a token more, which none of the training texts had.
 * @param name what errors call it, for example its path
 * @throws {DataError} when it is damaged or a model of another kind.
 */
export function siglipTokenizer(
  file: Uint8Array,
  name = 'the SentencePiece model',
  options: SiglipOptions = {},
): Tokenizer {
  return tokenizerFrom(fileOf(modelIn(file, name), name, options), name);
}

function modelIn(file: Uint8Array, name: string): SentencePieceModel {
  try {
    return sentencePieceModel(file);
  } catch (error) {
    if (error instanceof RangeError) throw refused(name, error.message, error);
    if (!(error instanceof z.ZodError)) throw error;
    const [problem] = error.issues;
    throw refused(name, `${problem?.message} at ${problem?.path.join('.') || 'the top'}`, error);
  }
}

const refused = (name: string, found: string, cause?: unknown): DataError =>
  new DataError(
    {
      expected: `${name} to be a SentencePiece model of the kind unigram`,
      found,
      advice: 'Give the spiece.model of a SigLIP model, or the tokenizer.json beside it.',
    },
    { cause },
  );

function fileOf(
  model: SentencePieceModel,
  name: string,
  { lowerCase = true, padToken }: SiglipOptions,
): Json {
  const { pieces, byteFallback, endName, charsmap, removesSpaces } = model;
  if (pieceOfKind(model, 'user-defined') !== undefined)
    throw refused(name, 'symbols that its user has defined');
  const unknown = pieceOfKind(model, 'unknown');
  if (unknown === undefined) throw refused(name, 'no piece for what is unknown');
  const end = pieces.findIndex(({ piece }) => piece === endName);
  if (end === -1) throw refused(name, `no end token ${endName.slice(0, 40)}`);
  const padding = padToken === undefined || padToken === endName ? null : paddingWith(padToken, model, name);
  const special = (content: string, id: number) => ({
    ...{ id, content, single_word: false, lstrip: true, rstrip: true, normalized: false, special: true },
  });
  const marks = { type: 'Metaspace', replacement: SPACE_MARK, prepend_scheme: 'always', split: true };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const after = { SpecialToken: { id: endName, type_id: 0 } };
  const second = { Sequence: { id: 'B', type_id: 0 } };
  return tokenizerFile({
    added_tokens: [special(endName, end), special(pieces[unknown]?.piece ?? '', unknown)].sort(
      (one, other) => one.id - other.id,
    ),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(lowerCase ? [{ type: 'Lowercase' }] : []),
        { type: 'Replace', pattern: { Regex: PUNCTUATION }, content: '' },
        ...singleSpaces('\\s+'),
        ...(charsmap.length === 0
          ? []
          : [
              {
                type: 'Precompiled',
                precompiled_charsmap: Buffer.from(charsmap).toString('base64'),
              },
              ...(removesSpaces ? singleSpaces(' {2,}') : []),
            ]),
      ],
    },
    pre_tokenizer: marks,
    post_processor: {
      type: 'TemplateProcessing',
      single: [text, after],
      pair: [text, after, second, after],
      special_tokens: { [endName]: { id: endName, ids: [end], tokens: [endName] } },
    },
    decoder: marks,
    model: {
      type: 'Unigram',
      unk_id: unknown,
      vocab: pieces.map(({ piece, score }) => [piece, score]),
      byte_fallback: byteFallback,
    },
    padding,
  });
}

/** White space of every kind, or what a pattern matches, as one space, and none at the ends. */
export const singleSpaces = (pattern: string) => [
  { type: 'Replace', pattern: { Regex: pattern }, content: ' ' },
  { type: 'Strip', strip_left: true, strip_right: true },
];

function paddingWith(padToken: string, { pieces }: SentencePieceModel, name: string): Json {
  const index = pieces.findIndex(({ piece }) => piece === padToken);
  if (index === -1) throw refused(name, `no pad token ${padToken.slice(0, 40)}`);
  return paddingBy(padToken, index);
}
