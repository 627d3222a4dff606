import { type Tensor1D, type Tensor2D, type Tensor3D, add, reshape, slice } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { bare } from '../layers/layer';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { normal } from '../layers/parameter';
import { gatherRows } from '../operations/gather-rows';
import type { Hooks } from './hooks';
import { count } from './schemas';

/** Texts as BERT embeds them: words at their places. */
export interface BertTextConfig {
  /** V: number of tokens that there are. */
  readonly vocabulary: number;
  /** T: tokens of the texts that the account is about. */
  readonly context: number;
  /** Tokens of the longest text: each place has a row of its own. */
  readonly positions: number;
  /** The token that ends a text: what stands behind its first occurrence is padding. */
  readonly endToken: number;
  /** Rows of BERT's table of token types, of which the first is added to each word. */
  readonly types: number;
}

export type BertWordsParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  words: Matrix; // [V, D]
  positions: Matrix; // [positions, D]
  types: Matrix; // [types, D]
  norm: LayerNormParams<Vector>;
};

/** Pieces of a schema, which {@link knowsItsEnd} and {@link fitsItsPositions} check. */
export const bertTextShape = {
  vocabulary: count,
  context: count,
  positions: count,
  endToken: z.int().nonnegative(),
  types: count,
};
export const knowsItsEnd = ({ endToken, vocabulary }: BertTextConfig): boolean => endToken < vocabulary;
export const knownEnd = { path: ['endToken'], message: 'expected a token of the vocabulary' };
export const fitsItsPositions = ({ context, positions }: BertTextConfig): boolean => context <= positions;
export const fittingPositions = {
  path: ['positions'],
  message: 'expected a position for each token of the context',
};

/** The embedding of words as in BERT (Devlin et al., 2019): word, place and type, behind a norm. It has no sites. */
export function bertWords(
  { vocabulary, positions, types }: BertTextConfig,
  { embedDim: D, normEpsilon }: { readonly embedDim: number; readonly normEpsilon: number },
) {
  return {
    parts: {
      words: bare(normal([vocabulary, D], 0.02)),
      positions: bare(normal([positions, D], 0.02)),
      types: bare(normal([types, D], 0.02)),
      norm: normLayer(D, normEpsilon),
    },
    /** Tokens [B, T] → [B·T, D]. @throws {RangeError} on a text that is longer than there are positions. */
    embed: (params: BertWordsParams, tokens: Tensor2D, { perturb }: Hooks): Tensor2D => {
      const [batch, length] = tokens.shape;
      if (length > positions)
        throw new RangeError(`expected texts of at most ${positions} tokens, got ${length}`);
      const rows: Tensor3D = reshape(gatherRows(params.words, reshape(tokens, [batch * length])), [
        batch,
        length,
        D,
      ]);
      const seen = perturb === undefined ? rows : perturb('words', rows);
      const standing = add<Tensor3D>(seen, slice(params.positions, [0, 0], [length, D]));
      const typed = add<Tensor3D>(standing, slice(params.types, [0, 0], [1, D]));
      return normalize(reshape(typed, [batch * length, D]), params.norm, normEpsilon);
    },
  };
}
