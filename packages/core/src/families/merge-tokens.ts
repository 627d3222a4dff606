import type { TokenMerging } from '../layers/token-merging';
import type { AnyDenseModel } from './family';
import { denseConfigOf } from './model';
import { familyOf } from './table';

/**
 * The same model, whose vision tower merges like tokens, or none where nothing says how. Its parameters stay the same tensors.
 * @throws {RangeError} when it reads no pictures, or its tokens look back alone.
 */
export function mergingTokens(any: AnyDenseModel, merging: TokenMerging | undefined): AnyDenseModel {
  const config = denseConfigOf(any.model);
  const { merging: configured } = familyOf(config).pictures ?? {};
  if (configured === undefined) {
    throw new RangeError(
      `a ${config.kind} reads no pictures, or gives each patch its place: it has no tokens to merge`,
    );
  }
  return { ...any, model: familyOf(config).make(configured(config, merging)) };
}
