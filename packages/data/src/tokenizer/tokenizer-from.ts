import type { Json } from '@winnow/core';
import type { z } from 'zod';
import { DataError } from '../failure/data-error';
import { type AddedToken, type Encoder, encodedPieces, withAddedTokens } from './added-tokens';
import { bytePairEncoder } from './byte-pairs';
import {
  clipPieces,
  clipPiecesAndEnds,
  normalisedForClip,
  normalisedForWords,
  wellFormed,
  words,
} from './text';
import type { Tokenizer } from './tokenizer';
import { unigramEncoder } from './unigram';
import { unigramFileSchema } from './unigram-file';
import {
  CLIP_PIECES,
  anyFileSchema,
  clipFileSchema,
  wordFileSchema,
  wordPieceFileSchema,
} from './tokenizer-file';
import { bertNormalised, bertPieces, wordPieceEncoder } from './word-pieces';

const KINDS =
  "CLIP's byte pairs (model BPE), of SentencePiece's pieces (model Unigram), of BERT's (model WordPiece) or of words (model WordLevel)";
const PROBLEMS_SHOWN = 3;

/** Longest name in a message, in characters: names come from files. */
const LONGEST_NAME = 40;
const quoted = (name = ''): string =>
  name.length > LONGEST_NAME ? `'${name.slice(0, LONGEST_NAME)}…'` : `'${name}'`;

const placeOf = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'the top' : path.map((key) => String(key).slice(0, LONGEST_NAME)).join('.');

type Reject = (found: string, cause?: unknown) => DataError;

interface Parts {
  readonly added_tokens: readonly AddedToken[];
  readonly post_processor: { readonly start?: string; readonly end: string };
  readonly padding?: string | null | undefined;
  readonly model: { readonly vocab: ReadonlyMap<string, number>; readonly unk_token: string | null };
}

/** The tokens of a file by name, and the complaint about what is wrong in it. */
interface Vocabulary {
  readonly size: number;
  readonly find: (name: string) => number | undefined;
  /** @throws {DataError} when there is no such token. */
  readonly require: (name: string, role: string) => number;
}

function vocabularyOf({ added_tokens, model }: Parts, reject: Reject): Vocabulary {
  const tokens = new Map(model.vocab);
  for (const { content, id } of added_tokens) {
    const known = tokens.get(content);
    if (known !== undefined && known !== id)
      throw reject(`${quoted(content)} with the indices ${known} and ${id}`);
    tokens.set(content, id);
  }
  const names = new Array<string | undefined>(tokens.size);
  for (const [name, index] of tokens) {
    if (index >= names.length)
      throw reject(`${names.length} tokens, and ${quoted(name)} with the index ${index}`);
    if (names[index] !== undefined)
      throw reject(`the index ${index} for ${quoted(names[index])} and ${quoted(name)}`);
    names[index] = name;
  }
  return {
    size: tokens.size,
    find: (name) => tokens.get(name),
    require(name, role) {
      const token = tokens.get(name);
      if (token === undefined) throw reject(`${role} ${quoted(name)} that is not in its vocabulary`);
      return token;
    },
  };
}

type ClipParts = z.infer<typeof clipFileSchema>;

function clipEncoder(parts: ClipParts, vocabulary: Vocabulary): Encoder {
  const { merges, unk_token } = parts.model;
  const encodePiece = bytePairEncoder({
    find: vocabulary.find,
    merges: merges.map(([left, right]) => ({
      left: vocabulary.require(left, 'a merge of'),
      right: vocabulary.require(right, 'a merge of'),
      token: vocabulary.require(left + right, 'a merge to'),
    })),
    unknownToken: unk_token === null ? undefined : vocabulary.require(unk_token, 'an unknown token'),
  });
  const [split] = parts.pre_tokenizer.pretokenizers;
  const pieces = split.pattern.Regex === CLIP_PIECES ? clipPieces : clipPiecesAndEnds;
  return withAddedTokens(parts.added_tokens, normalisedForClip, (text, limit) =>
    encodedPieces(pieces(text), encodePiece, limit),
  );
}

type WordParts = z.infer<typeof wordFileSchema>;

function wordEncoder(parts: WordParts, vocabulary: Vocabulary): Encoder {
  const unknown = vocabulary.require(parts.model.unk_token, 'an unknown token');
  return withAddedTokens(parts.added_tokens, normalisedForWords, (text, limit) =>
    encodedPieces(words(text), (word) => [vocabulary.find(word) ?? unknown], limit),
  );
}

type UnigramParts = z.infer<typeof unigramFileSchema>;

function piecesEncoder(parts: UnigramParts, vocabulary: Vocabulary): Encoder {
  const { pieces, byteFallback, unk_token } = parts.model;
  const unknownToken = unk_token === null ? undefined : vocabulary.require(unk_token, 'an unknown token');
  const encodePiece = unigramEncoder({ pieces, byteFallback, unknownToken });
  return withAddedTokens(parts.added_tokens, parts.normalizer, (text, limit, isFirst) =>
    encodedPieces(parts.pre_tokenizer(text, isFirst), encodePiece, limit),
  );
}

type WordPieceParts = z.infer<typeof wordPieceFileSchema>;

function wordPiecesEncoder(
  { added_tokens, normalizer, model }: WordPieceParts,
  vocabulary: Vocabulary,
): Encoder {
  const encodeWord = wordPieceEncoder({
    find: vocabulary.find,
    prefix: model.continuing_subword_prefix,
    unknownToken: vocabulary.require(model.unk_token, 'an unknown token'),
    longest: model.max_input_chars_per_word,
  });
  return withAddedTokens(
    added_tokens,
    (text) => bertNormalised(text, normalizer),
    (text, limit) => encodedPieces(bertPieces(text), encodeWord, limit),
  );
}

/**
 * The tokenizer that a `tokenizer.json` describes: CLIP's, as published by Hugging Face and by `clipTokenizer`, one
 * of a unigram model with an end token, such as SigLIP's, of BERT's word pieces, or words, as written by `wordTokenizer`.
 * @param file content of a tokenizer.json
 * @param name what errors call it, for example its path
 * @throws {DataError} when it is damaged or describes another kind of tokenizer.
 */
export function tokenizerFrom(file: Json, name = 'the tokenizer.json'): Tokenizer {
  const reject: Reject = (found, cause) =>
    new DataError(
      {
        expected: `${name} to describe a tokenizer of ${KINDS}`,
        found,
        advice: 'Give the tokenizer.json of a CLIP, SigLIP or BLIP model, or one that Winnow has written.',
      },
      { cause },
    );
  const parsed = <Content>(schema: z.ZodType<Content>): Content => {
    const result = schema.safeParse(file);
    if (result.success) return result.data;
    const problems = result.error.issues.slice(0, PROBLEMS_SHOWN);
    throw reject(
      problems.map(({ path, message }) => `${message} at ${placeOf(path)}`).join('; '),
      result.error,
    );
  };
  const tokenizer = <Content extends Parts>(
    schema: z.ZodType<Content>,
    encoder: (parts: Content, vocabulary: Vocabulary) => Encoder,
  ): Tokenizer => {
    const parts = parsed(schema);
    const vocabulary = vocabularyOf(parts, reject);
    const { start, end } = parts.post_processor;
    const startToken = start === undefined ? undefined : vocabulary.require(start, 'a start token');
    const endToken = vocabulary.require(end, 'an end token');
    const { padding = null } = parts;
    const first = startToken === undefined ? [] : [startToken];
    const unknownName = parts.model.unk_token;
    const inner = encoder(parts, vocabulary);
    return {
      vocabulary: vocabulary.size,
      startToken,
      endToken,
      padToken: padding === null ? endToken : vocabulary.require(padding, 'a pad token'),
      unknownToken: unknownName === null ? undefined : vocabulary.find(unknownName),
      file,
      encode(text, context) {
        if (!Number.isInteger(context) || context < 2) {
          throw new RangeError(`a context is a whole number of at least 2 tokens, not ${context}`);
        }
        const room = context - 1 - first.length;
        return Int32Array.from([...first, ...inner(wellFormed(text), room, true).slice(0, room), endToken]);
      },
    };
  };
  const kind = parsed(anyFileSchema).model.type;
  if (kind === 'BPE') return tokenizer(clipFileSchema, clipEncoder);
  if (kind === 'Unigram') return tokenizer(unigramFileSchema, piecesEncoder);
  if (kind === 'WordPiece') return tokenizer(wordPieceFileSchema, wordPiecesEncoder);
  if (kind === 'WordLevel') return tokenizer(wordFileSchema, wordEncoder);
  throw reject(`a model of the type ${quoted(kind)}`);
}
