import { z } from 'zod';
import type { TowerConfig } from '../layers/tower';
import { count, towerSchema } from './schemas';

/**
 * The token that ends a text: the state at its first occurrence stands for the whole. `greatest` is whichever token of a
 * text has the greatest number, as in CLIP's first code (Radford et al., 2021), where the end is the last of the vocabulary.
 * `last` is the token at the last place of the context, whichever it is: texts are filled up to there (SigLIP).
 */
export type EndToken = number | 'greatest' | 'last';

/** The text transformer of CLIP or SigLIP up to its last hidden states. */
export interface TextTowerConfig {
  /** V: number of tokens that there are. */
  readonly vocabulary: number;
  /** Tokens of the longest text. */
  readonly context: number;
  readonly endToken: EndToken;
  readonly tower: TowerConfig;
}

export interface TextTowerOptions {
  readonly vocabulary: number;
  readonly context: number;
  /** Default: the last of the vocabulary, as in CLIP's. */
  readonly endToken?: number;
}

/**
 * Text towers by name: CLIP's published ones beside ViT-B (`clip-base`) and ViT-L (`clip-large`), and ones of the size
 * of DeiT's nano, tiny and small, so that two towers can have the same shape.
 */
export const textTransformerPresets = {
  nano: { embedDim: 96, heads: 3, layers: 4 },
  tiny: { embedDim: 192, heads: 3, layers: 12 },
  small: { embedDim: 384, heads: 6, layers: 12 },
  'clip-base': { embedDim: 512, heads: 8, layers: 12 },
  'clip-large': { embedDim: 768, heads: 12, layers: 12 },
} as const;

export type TextTransformerPreset = keyof typeof textTransformerPresets;

/**
 * A dense text tower of a named size (Radford et al., 2021, Section 2.4).
 * @throws {RangeError} when the vocabulary has no end token, or no text fits the context.
 */
export function textTowerConfig(
  preset: TextTransformerPreset,
  { vocabulary, context, endToken = vocabulary - 1 }: TextTowerOptions,
): TextTowerConfig {
  if (!Number.isInteger(context) || context < 2) {
    throw new RangeError(`expected a context of at least 2 tokens, a start and an end, got ${context}`);
  }
  if (!Number.isInteger(endToken) || endToken < 0 || endToken >= vocabulary) {
    throw new RangeError(`expected an end token within 0…${vocabulary - 1}, got ${endToken}`);
  }
  const { embedDim, heads, layers } = textTransformerPresets[preset];
  const headDim = embedDim / heads;
  return {
    vocabulary,
    context,
    endToken,
    tower: {
      embedDim,
      heads,
      denseHeadDim: headDim,
      activation: 'quick-gelu',
      causal: true,
      normEpsilon: 1e-5,
      blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim: 4 * embedDim })),
    },
  };
}

/**
 * Checks that every text has an end, without which there is no state to read.
 * @param tokens Of texts of `length` tokens each, one after the other.
 * @throws {RangeError} naming the first text that has none.
 */
export function checkTextEnds(tokens: Int32Array, length: number, endToken: EndToken): void {
  if (typeof endToken === 'string') return;
  for (let start = 0; start < tokens.length; start += length) {
    if (!tokens.subarray(start, start + length).includes(endToken)) {
      throw new RangeError(
        `expected the end token ${endToken} in every text, got none in text ${start / length}: ` +
          tokens.subarray(start, start + length).join(' '),
      );
    }
  }
}

const endTokenSchema = z.union(
  [z.int().nonnegative(), z.enum(['greatest', 'last'])],
  'expected the number of a token, greatest or last',
);

/** Reads the configuration of a text tower; `hasEndToken` checks what it says together. */
export const textTowerShape = {
  vocabulary: count,
  context: count,
  endToken: endTokenSchema,
  tower: towerSchema,
};

export const hasEndToken = ({ endToken, vocabulary }: { endToken: EndToken; vocabulary: number }): boolean =>
  typeof endToken === 'string' || endToken < vocabulary;
export const knownEndToken = { path: ['endToken'], message: 'expected a token of the vocabulary' };
