import { z } from 'zod';
import type { CrossBlockShape } from '../layers/cross-block';
import type { Activation } from '../operations/activation';
import { count } from './schemas';

/** A transformer over texts that looks at memories by cross-attention, or leaves that out. */
export interface TextStackConfig {
  /** V: number of tokens that there are. */
  readonly vocabulary: number;
  /** N: tokens of the texts that the account is about. Longer ones are read as well, up to `positions`. */
  readonly context: number;
  /** Tokens of the longest text: each place has a row of its own. */
  readonly positions: number;
  /** D. */
  readonly embedDim: number;
  readonly heads: number;
  /** Head dimension of the dense model; the attention scale stays 1/√denseHeadDim after a cut. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  /** Norms stand `after` the layers, and one behind the embedding, as in BERT; or `before` them, and one at the end. */
  readonly norm: 'before' | 'after';
  readonly normEpsilon: number;
  /** All have the same number of cross-attentions. */
  readonly blocks: readonly CrossBlockShape[];
}

/**
 * Text stacks by name: BLIP's published one (Li et al., 2022; BERT-base), and ones for small pictures and quick trials.
 * `norm` and its epsilon are BERT's.
 */
export const textStackPresets = {
  nano: { embedDim: 128, heads: 4, layers: 4 },
  tiny: { embedDim: 192, heads: 3, layers: 12 },
  small: { embedDim: 384, heads: 6, layers: 12 },
  base: { embedDim: 768, heads: 12, layers: 12 },
} as const;
export type TextStackPreset = keyof typeof textStackPresets;

export interface TextStackOptions {
  readonly vocabulary: number;
  readonly context: number;
  /** `context` unless it says otherwise. */
  readonly positions?: number;
  readonly norm?: TextStackConfig['norm'];
  /** Memories that each block looks at, 1 unless it says otherwise. */
  readonly memories?: 1 | 2;
}

/**
 * A dense text stack of a named size.
 * @throws {RangeError} when no text fits.
 */
export function textStackConfig(
  preset: TextStackPreset,
  { vocabulary, context, positions = context, norm = 'after', memories = 1 }: TextStackOptions,
): TextStackConfig {
  if (!Number.isInteger(context) || context < 2 || positions < context) {
    throw new RangeError(
      `expected texts of 2 tokens or more, and a position for each, got ${context} and ${positions}`,
    );
  }
  const { embedDim, heads, layers } = textStackPresets[preset];
  const headDim = embedDim / heads;
  const cross = Array.from({ length: memories }, () => ({ headDim }));
  return {
    vocabulary,
    context,
    positions,
    embedDim,
    heads,
    denseHeadDim: headDim,
    activation: 'gelu',
    norm,
    normEpsilon: 1e-12,
    blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim: 4 * embedDim, cross })),
  };
}

const widths = { headDim: count, queryKeyDim: count.exactOptional() };

/** Reads the configuration of a text stack. */
export const textStackSchema = z
  .strictObject({
    vocabulary: count,
    context: count,
    positions: count,
    embedDim: count,
    heads: count,
    denseHeadDim: count,
    activation: z.enum(['gelu', 'gelu-tanh', 'quick-gelu']),
    norm: z.enum(['before', 'after']),
    normEpsilon: z.number().positive(),
    blocks: z
      .array(
        z.strictObject({ ...widths, hiddenDim: count, cross: z.array(z.strictObject(widths)).min(1).max(2) }),
      )
      .min(1)
      .refine((blocks) => new Set(blocks.map(({ cross }) => cross.length)).size === 1, {
        message: 'expected the same number of cross-attentions in every block',
      }),
  })
  .refine(({ context, positions }) => context <= positions, {
    path: ['positions'],
    message: 'expected a position for each token of the context',
  });
