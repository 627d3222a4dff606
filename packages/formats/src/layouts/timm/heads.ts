import { FormatError } from '../../file/format-error';

/** Widths and attention heads of the published sizes, whose names hold these words. */
const published: Readonly<Record<string, { readonly embedDim: number; readonly heads: number }>> = {
  tiny: { embedDim: 192, heads: 3 },
  small: { embedDim: 384, heads: 6 },
  base: { embedDim: 768, heads: 12 },
  large: { embedDim: 1024, heads: 16 },
  huge: { embedDim: 1280, heads: 16 },
};

export interface Heads {
  readonly heads: number;
  /** A note for the user, where the number is a guess. */
  readonly note?: string;
}

/**
 * The number of attention heads, which no tensor tells: as it was said, or as the published models of this name or of this
 * width have it.
 * @throws {FormatError} when there is no such model, or the width is not a multiple of the heads.
 */
export function headsOf(
  file: string,
  {
    said,
    architecture = '',
    embedDim,
  }: { said: number | undefined; architecture?: string; embedDim: number },
): Heads {
  if (said !== undefined) {
    if (embedDim % said === 0) return { heads: said };
    throw new FormatError(`${file}: expected a width that is a multiple of ${said} heads, got ${embedDim}`);
  }
  const size = /^(?:vit|deit|deit3)_([a-z]+)_/.exec(architecture)?.[1] ?? '';
  const named = published[size];
  if (named?.embedDim === embedDim) return { heads: named.heads };
  const alike = Object.values(published).find((model) => model.embedDim === embedDim);
  if (alike !== undefined) {
    const { heads } = alike;
    return {
      heads,
      note:
        `nothing says how many attention heads it has: taken to be ${heads}, as in the published models of width ` +
        `${embedDim}; if that is wrong, say it with --heads (the option \`heads\`)`,
    };
  }
  throw new FormatError(
    `${file}: expected to learn the number of attention heads from a config.json beside it (num_heads, or the name of a ` +
      `published architecture), got nothing, and no published model is ${embedDim} wide; say it with --heads of ` +
      'winnow import or winnow train (the option `heads`)',
  );
}
