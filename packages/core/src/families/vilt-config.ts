import { z } from 'zod';
import type { DenseConfig } from './model';
import { count, tiesShape } from './schemas';
import { type VisionTowerConfig, isWholeGrid, visionTowerShape, wholeGrid } from './vision-tower-config';

/** Texts as ViLT reads them: words at their places, as BERT embeds them. */
export interface ViltTextConfig {
  /** V: number of tokens that there are. */
  readonly vocabulary: number;
  /** Tokens of the longest text. */
  readonly context: number;
  /** The token that ends a text: what stands behind its first occurrence is padding. */
  readonly endToken: number;
  /** Rows of BERT's own table of token types, of which the first is added to each word; none without it. */
  readonly types?: number;
  readonly normEpsilon: number;
}

/**
 * The answers that a ViLT gives about a text and pictures:
 * - `answers`: logits of so many answers, about one picture.
 * - `statements`: whether a statement is true of two pictures.
 * - `matching`: whether text and picture belong together, and which words are hidden: what it is pre-trained by.
 * - `retrieval`: one score of how well they belong together.
 */
export type ViltHead =
  | { readonly kind: 'answers'; readonly answers: number }
  | { readonly kind: 'statements' }
  | { readonly kind: 'matching' }
  | { readonly kind: 'retrieval' };

/** Words and patches in one trunk (Kim et al., 2021, ViLT). */
export interface ViltConfig extends DenseConfig {
  readonly kind: 'vilt';
  /** Its tower is the trunk, which reads words and patches. */
  readonly vision: VisionTowerConfig;
  readonly text: ViltTextConfig;
  /** Rows of the table of modalities: the first for words, the others for a picture each. */
  readonly modalities: number;
  readonly head: ViltHead;
}

/** The pictures that an example of a head has. */
export const picturesOfHead = ({ kind }: ViltHead): 1 | 2 => (kind === 'statements' ? 2 : 1);

const text = z
  .strictObject({
    vocabulary: count,
    context: count,
    endToken: z.int().nonnegative(),
    types: count.exactOptional(),
    normEpsilon: z.number().positive(),
  })
  .refine(({ endToken, vocabulary }) => endToken < vocabulary, {
    path: ['endToken'],
    message: 'expected a token of the vocabulary',
  });

const head = z.union(
  [
    z.strictObject({ kind: z.literal('answers'), answers: count }),
    z.strictObject({ kind: z.literal('statements') }),
    z.strictObject({ kind: z.literal('matching') }),
    z.strictObject({ kind: z.literal('retrieval') }),
  ],
  'expected a head for answers with their number, for statements, for matching or for retrieval',
);

/** Why a configuration is none of a ViLT; `undefined` where it is one. */
export function wrongVilt({
  vision,
  modalities,
  head: own,
}: Omit<ViltConfig, 'kind' | 'ties'>): string | undefined {
  if (vision.tower.causal) return 'expected a trunk whose tokens look at each other';
  if (vision.attentionPool !== undefined || vision.merging !== undefined)
    return 'expected neither attention pooling nor merging of tokens: the first word is read';
  if (vision.embeddingNorm || vision.distillation !== 'none')
    return 'expected patches without a norm behind their embedding, and no distillation token';
  if (modalities <= picturesOfHead(own))
    return `expected a row of modalities for words and for each picture, got ${modalities}`;
  return undefined;
}

/** Reads the configuration of a ViLT. */
export const viltSchema = z
  .strictObject({
    kind: z.literal('vilt'),
    vision: z.strictObject(visionTowerShape).refine(isWholeGrid, wholeGrid),
    text,
    modalities: count,
    head,
    ...tiesShape,
  })
  .superRefine((config, context) => {
    const wrong = wrongVilt(config);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  });
