import { z } from 'zod';
import { type ProtobufField, protobufFields } from './protobuf';
import { LONGEST_PIECE, MOST_PIECES } from './unigram-file';

/** Kinds of pieces, by their number in sentencepiece_model.proto. */
const pieceKinds = ['', 'normal', 'unknown', 'control', 'user-defined', 'unused', 'byte'] as const;
type PieceKind = (typeof pieceKinds)[number];
/** Kinds of models, by their number. */
const modelKinds = ['', 'unigram', 'bpe', 'word', 'char'] as const;

const piece = z.object({
  piece: z.string().min(1).max(LONGEST_PIECE),
  score: z.number().default(0),
  kind: z.enum(pieceKinds).default('normal'),
});

const modelSchema = z.object({
  pieces: z.array(piece).min(1).max(MOST_PIECES),
  modelKind: z.literal('unigram').default('unigram'),
  byteFallback: z.boolean().default(false),
  endName: z.string().default('</s>'),
  hasSpaceBehind: z.literal(false).default(false),
  charsmap: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  removesSpaces: z.boolean().default(true),
  escapesSpaces: z.literal(true).default(true),
});
/** A SentencePiece model, as far as a unigram tokenizer needs it. */
export type SentencePieceModel = z.output<typeof modelSchema>;

/** The readers of fields, each by its number in a message of sentencepiece_model.proto. */
type Reader = (field: ProtobufField) => unknown;
type Message = Readonly<Record<number, readonly [name: string, read: Reader]>>;

const number: Reader = ({ kind, value }) => (kind === 'bytes' ? undefined : value);
const bytes: Reader = ({ kind, value }) => (kind === 'bytes' ? value : undefined);
const flag: Reader = (field) => number(field) === 1;
const text: Reader = ({ kind, value }) => {
  if (kind !== 'bytes') return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch (cause) {
    throw new RangeError('a text that is not UTF-8', { cause });
  }
};
const oneOf =
  (names: readonly string[]): Reader =>
  (field) => {
    const found = number(field);
    return typeof found === 'number' ? (names[found] ?? `kind ${found}`) : undefined;
  };

const pieceMessage: Message = { 1: ['piece', text], 2: ['score', number], 3: ['kind', oneOf(pieceKinds)] };
const trainerMessage: Message = {
  3: ['modelKind', oneOf(modelKinds)],
  24: ['hasSpaceBehind', flag],
  35: ['byteFallback', flag],
  47: ['endName', text],
};
const normalizerMessage: Message = {
  2: ['charsmap', bytes],
  4: ['removesSpaces', flag],
  5: ['escapesSpaces', flag],
};

/** The known fields of a message by their names; of several the last, as protocol buffers have it. */
function read(message: Uint8Array, known: Message): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const field of protobufFields(message)) {
    const entry = known[field.field];
    if (entry !== undefined) found[entry[0]] = entry[1](field);
  }
  return found;
}

/**
 * Reads a SentencePiece model (`spiece.model`): pieces with their scores, its normaliser, its end token. Symbols that users have defined,
 * which are never cut, are not read.
 * @throws {RangeError} when it is damaged. @throws {z.ZodError} when it is a model of another kind.
 */
export function sentencePieceModel(file: Uint8Array): SentencePieceModel {
  const pieces: unknown[] = [];
  let settings: Readonly<Record<string, unknown>> = {};
  for (const { field, kind, value } of protobufFields(file)) {
    if (kind !== 'bytes') continue;
    if (field === 1 && pieces.length <= MOST_PIECES) pieces.push(read(value, pieceMessage));
    else if (field === 2) settings = { ...settings, ...read(value, trainerMessage) };
    else if (field === 3) settings = { ...settings, ...read(value, normalizerMessage) };
  }
  return modelSchema.parse({ ...settings, pieces });
}

/** The first piece of a kind, by its index. */
export const pieceOfKind = ({ pieces }: SentencePieceModel, kind: PieceKind): number | undefined => {
  const index = pieces.findIndex((each) => each.kind === kind);
  return index === -1 ? undefined : index;
};
