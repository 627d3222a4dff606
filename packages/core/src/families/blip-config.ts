import { z } from 'zod';
import type { DenseConfig } from './model';
import { count, tiesShape } from './schemas';
import { type TextStackConfig, textStackSchema } from './text-stack-config';
import {
  type VisionTowerConfig,
  causalMerging,
  isWholeGrid,
  mergesFreely,
  visionTowerShape,
  wholeGrid,
} from './vision-tower-config';

/**
 * The use of a BLIP, which decides its parts:
 * - `captions`: a decoder writes about a picture.
 * - `questions`: an encoder reads a question about a picture, and a decoder writes the answer from what was read.
 * - `statements`: an encoder reads a statement about two pictures, and a head judges it.
 * - `retrieval`: an encoder reads texts by themselves and about pictures, for embeddings and for matching.
 */
export const blipPurposes = ['captions', 'questions', 'statements', 'retrieval'] as const;
export type BlipPurpose = (typeof blipPurposes)[number];

/** Tokens that have a meaning of their own. */
export interface BlipTokens {
  /** Begins each text that is written: BLIP's [DEC]. */
  readonly start: number;
  /** Ends each text; what comes behind it is padding. */
  readonly end: number;
  /** Stands for the first token of a text that is read about pictures: BLIP's [ENC]. Without it, the first one stays. */
  readonly ground?: number;
}

/** Vision and language by one text stack with cross-attention (Li et al., 2022, BLIP). */
export interface BlipConfig extends DenseConfig {
  readonly kind: 'blip';
  readonly purpose: BlipPurpose;
  /** All its tokens are looked at. */
  readonly vision: VisionTowerConfig;
  readonly tokens: BlipTokens;
  /** Reads texts; with two cross-attentions in each block where there are two pictures. */
  readonly encoder?: TextStackConfig;
  /** Writes texts. */
  readonly decoder?: TextStackConfig;
  /** For retrieval: the embeddings. */
  readonly embeddings?: BlipEmbeddings;
}

export interface BlipEmbeddings {
  /** P: width of the embeddings that pictures and texts share. */
  readonly projectionDim: number;
  /** Similarities are divided by a temperature that is learned; without it they are cosines. */
  readonly temperature?: 'learned';
}

/** The number of times that each part of a model runs on the example that its account is about. */
export interface BlipUsage {
  readonly pictures: number;
  /** Texts that are read by themselves. */
  readonly alone: number;
  /** Texts that the encoder reads about a picture, or a pair of them; keys and values of a picture are computed once. */
  readonly read: Passes;
  /** Texts that the decoder writes about what was seen or read. */
  readonly written: Passes;
}

export interface Passes {
  /** The number of memories: pictures, pairs of pictures or questions. */
  readonly memories: number;
  /** The number of texts about each. */
  readonly texts: number;
}

const once: Passes = { memories: 1, texts: 1 };
const never: Passes = { memories: 0, texts: 0 };

/** One example: a picture with its text, a question with its answer, a pair with its statement. */
export function exampleUsage(purpose: BlipPurpose): BlipUsage {
  switch (purpose) {
    case 'captions':
      return { pictures: 1, alone: 0, read: never, written: once };
    case 'questions':
      return { pictures: 1, alone: 0, read: once, written: once };
    case 'statements':
      return { pictures: 2, alone: 0, read: once, written: never };
    case 'retrieval':
      return { pictures: 1, alone: 1, read: once, written: never };
    default:
      return purpose satisfies never;
  }
}

/** Which parts a purpose needs. */
const partsOf: Readonly<Record<BlipPurpose, { encoder: boolean; decoder: boolean; embeddings: boolean }>> = {
  captions: { encoder: false, decoder: true, embeddings: false },
  questions: { encoder: true, decoder: true, embeddings: false },
  statements: { encoder: true, decoder: false, embeddings: false },
  retrieval: { encoder: true, decoder: false, embeddings: true },
};

const articles = { encoder: 'an', decoder: 'a', embeddings: 'the' } as const;

type Unchecked = Omit<BlipConfig, 'kind' | 'ties'>;

/** Why a configuration is none of a BLIP; `undefined` where it is one. */
export function wrongBlip({
  purpose,
  vision,
  tokens,
  encoder,
  decoder,
  embeddings,
}: Unchecked): string | undefined {
  const has = { encoder, decoder, embeddings };
  for (const part of ['encoder', 'decoder', 'embeddings'] as const) {
    if (partsOf[purpose][part] !== (has[part] !== undefined))
      return `expected ${partsOf[purpose][part] ? articles[part] : 'no'} ${part} of a model for ${purpose}`;
  }
  if (vision.attentionPool !== undefined) return 'expected no attention pooling: all tokens are looked at';
  if (purpose === 'retrieval' && vision.classToken === false)
    return 'expected a class token, which the embedding is made of';
  const crosses = (stack: TextStackConfig | undefined): number => stack?.blocks[0]?.cross.length ?? 1;
  const pictures = purpose === 'statements' ? 2 : 1;
  if (encoder !== undefined && crosses(encoder) !== pictures)
    return `expected ${pictures} cross-attention${pictures === 1 ? '' : 's'} in each block of the encoder of a model for ${purpose}`;
  if (crosses(decoder) !== 1) return 'expected one cross-attention in each block of the decoder';
  const words = Math.min(encoder?.vocabulary ?? Infinity, decoder?.vocabulary ?? Infinity);
  if (Object.values(tokens).some((token: number) => token >= words))
    return 'expected tokens of the vocabulary';
  return undefined;
}

const token = z.int().nonnegative();

/** Reads the configuration of a BLIP. */
export const blipSchema = z
  .strictObject({
    kind: z.literal('blip'),
    purpose: z.enum(blipPurposes),
    vision: z
      .strictObject(visionTowerShape)
      .refine(isWholeGrid, wholeGrid)
      .refine(mergesFreely, causalMerging),
    tokens: z.strictObject({ start: token, end: token, ground: token.exactOptional() }),
    encoder: textStackSchema.exactOptional(),
    decoder: textStackSchema.exactOptional(),
    embeddings: z
      .strictObject({ projectionDim: count, temperature: z.literal('learned').exactOptional() })
      .exactOptional(),
    ...tiesShape,
  })
  .superRefine((config, context) => {
    const wrong = wrongBlip(config);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  });
