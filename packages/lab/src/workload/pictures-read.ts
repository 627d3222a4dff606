import type { ImageFolderOptions } from '@winnow/data';
import { z } from 'zod';
import { imagesOf, imagesShape } from './images';

const SHARES = /^(\d{1,2}(?:\.\d+)?)\/(\d{1,2}(?:\.\d+)?)\/(\d{1,2}(?:\.\d+)?)$/;
const WHOLE = 100;
/** The rounding of shares as people write them: 33.3/33.3/33.4. */
const NEARLY = 1e-6;

/** Shares of training, validation and test, in percent, as parts of one. */
const shares = z.string().transform((text, context) => {
  const [train, validation, test] = (SHARES.exec(text)?.slice(1) ?? []).map(Number);
  const found = [train, validation, test].map((share) => share ?? 0);
  const sum = found.reduce((total, share) => total + share, 0);
  if (found.every((share) => share > 0) && Math.abs(sum - WHOLE) < NEARLY && validation && test)
    return { validation: validation / WHOLE, test: test / WHOLE };
  context.addIssue({
    code: 'custom',
    message: `expected three shares above 0 that are 100 together, like 70/15/15, got ${text}`,
  });
  return z.NEVER;
});

const SEEDS = 2 ** 31 - 1;

/** The reading of labelled pictures at a path. Runs that say none of it do not name it. */
export const labelledShape = {
  ...imagesShape,
  nested: z.boolean().optional().describe('Take the pictures in folders below class folders, too'),
  splitShares: z
    .string()
    .refine((text) => shares.safeParse(text).success, {
      error: ({ input }) =>
        `expected three shares above 0 that are 100 together, like 70/15/15, got ${String(input)}`,
    })
    .optional()
    .describe(
      'Of data without splits: percent for training/validation/test of each class; default: 70/15/15',
    ),
  splitSeed: z
    .int()
    .min(0)
    .max(SEEDS)
    .optional()
    .describe('Decides which pictures are held out where the data do not say it; default: 0'),
  broken: z
    .enum(['refuse', 'skip'])
    .optional()
    .describe(
      'Pictures that cannot be decoded: an error (the default), or left out and listed in the run folder',
    ),
};

const labelledOptions = z.object({ ...labelledShape, splitShares: shares.optional() });

/** Options of a dataset of labelled pictures, as flags have them; others may stand beside them. */
export function labelledOf(options: unknown): Pick<
  ImageFolderOptions,
  'nested' | 'heldOutShares' | 'validationSeed' | 'broken'
> & {
  readonly images?: string;
} {
  const { nested, splitShares, splitSeed, broken } = labelledOptions.parse(options);
  return {
    ...imagesOf(options),
    ...(nested === undefined ? {} : { nested }),
    ...(splitShares === undefined ? {} : { heldOutShares: splitShares }),
    ...(splitSeed === undefined ? {} : { validationSeed: splitSeed }),
    ...(broken === 'skip' ? { broken } : {}),
  };
}

/** The same options by their flags, as a run has recorded them. */
export const labelledFlags = z.object(labelledShape).partial();
