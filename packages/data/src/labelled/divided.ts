import type { Splits } from '@winnow/core';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import { grouped } from '../split/grouped';
import {
  DEFAULT_HELD_OUT_SHARES,
  type HeldOutShares,
  SMALLEST_CLASS,
  checkShares,
  stratified,
} from '../split/stratified';
import type { LabelledPicture } from './labelled-pictures';

const DEFAULT_SEED = 0;

export interface DivideOptions {
  /**
   * For pictures that come without any split: shares of each class for validation and test. Default 0.15 each; the other
   * 70 % are trained on.
   */
  readonly heldOutShares?: HeldOutShares;
  /** Decides, with the names of the files, which pictures are held out. Default 0; runs that are to be compared need the same. */
  readonly validationSeed?: number;
}

/**
 * A line for each option of a division that has no use, as the data bring splits of their own.
 * @param isWhole Whether nothing is set aside for validation either, which the seed would decide.
 */
export const unusedShares = (
  { heldOutShares, validationSeed }: DivideOptions,
  isWhole: boolean,
): string[] => [
  ...(heldOutShares === undefined ? [] : ['the data come with splits: --split-shares is not used']),
  ...(isWhole && validationSeed !== undefined ? ['the data come with splits: --split-seed is not used'] : []),
];

export interface DividedPictures {
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly LabelledPicture[]>>;
  /** Says for a person how they were divided. */
  readonly note: string;
}

/** A picture with the name by which its split is decided: that of its class and file, wherever the folder lies. */
export type NamedPicture = LabelledPicture & { readonly name: string };

const percent = (share: number): string => `${Math.round(share * 1000) / 10}`;

export interface Undivided {
  readonly pictures: readonly NamedPicture[];
  readonly classes: readonly string[];
  /** The folder or the file that they are from. */
  readonly source: string;
  /** Names the thing that would say the splits: 'train folder', 'column split'. */
  readonly missing: string;
}

/**
 * Divides pictures without splits into training, validation and test, class by class.
 * @throws {DataError} that names the classes with fewer pictures than splits.
 * @throws {RangeError} on shares outside their range.
 */
export function divided(
  { pictures, classes, source, missing }: Undivided,
  { heldOutShares: shares = DEFAULT_HELD_OUT_SHARES, validationSeed: seed = DEFAULT_SEED }: DivideOptions,
): DividedPictures {
  checkShares(shares);
  const members = grouped(pictures, ({ label }) => label);
  const small = classes.flatMap((name, label) => {
    const count = members.get(label)?.length ?? 0;
    return count < SMALLEST_CLASS ? [`${visibly(name)}: ${counted(count, 'picture')}`] : [];
  });
  if (small.length > 0) {
    throw new DataError({
      expected: `at least ${SMALLEST_CLASS} pictures of every class in ${source}, which has no ${missing}: one to train on, one for validation and one for the test`,
      found: `${counted(small.length, 'class', 'classes')} with fewer:${firstTen(small)}\n`,
      advice: 'Add pictures, or take these classes out.',
    });
  }
  const found = stratified(pictures, shares, seed);
  const bare = (some: readonly NamedPicture[]): LabelledPicture[] =>
    some.map(({ path, label }) => ({ path, label }));
  const shared = [1 - shares.validation - shares.test, shares.validation, shares.test].map(percent).join('/');
  return {
    splits: { train: bare(found.train), validation: bare(found.validation), test: bare(found.test) },
    note:
      `no ${missing}: every class is divided ${shared} % into training, validation and test ` +
      `(${[found.train, found.validation, found.test].map(({ length }) => length.toLocaleString('en')).join(', ')} pictures), ` +
      `decided by the names of the files and the seed ${seed}`,
  };
}
