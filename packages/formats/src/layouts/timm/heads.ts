import { FormatError } from '../../file/format-error';

interface Published {
  readonly embedDim: number;
  readonly heads: number;
}

/** Widths and attention heads of the published sizes, whose names hold these words (timm 1.0.31, vision_transformer.py). */
const published: Readonly<Record<string, Published>> = {
  tiny: { embedDim: 192, heads: 3 },
  xsmall: { embedDim: 256, heads: 4 },
  little: { embedDim: 320, heads: 5 },
  small: { embedDim: 384, heads: 6 },
  medium: { embedDim: 512, heads: 8 },
  betwixt: { embedDim: 640, heads: 10 },
  base: { embedDim: 768, heads: 12 },
  so150m2: { embedDim: 832, heads: 13 },
  so150m: { embedDim: 896, heads: 14 },
  large: { embedDim: 1024, heads: 16 },
  so400m: { embedDim: 1152, heads: 16 },
  huge: { embedDim: 1280, heads: 16 },
  giant: { embedDim: 1408, heads: 16 },
  giantopt: { embedDim: 1536, heads: 16 },
  gigantic: { embedDim: 1664, heads: 16 },
};
/** Published models that have other heads than their size. */
const exceptions: readonly (readonly [name: RegExp, model: Published])[] = [
  [/^vit_base_patch16_gap_/, { embedDim: 768, heads: 16 }],
  [/^vit_giant_patch1[46]_(?:reg\d_)?(?:dinov2|radio|tipsv2)/, { embedDim: 1536, heads: 24 }],
];

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
  const size = /^(?:vit|deit|deit3)_([a-z0-9]+)_/.exec(architecture)?.[1] ?? '';
  const named = exceptions.find(([name]) => name.test(architecture))?.[1] ?? published[size];
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
