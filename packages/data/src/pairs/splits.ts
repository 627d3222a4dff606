import { type Splits, permutation, randomStream, counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import type { PictureContents } from '../identity/picture-contents';
import type { PictureFiles } from '../picture/read';
import type { PairGroup } from './group';

const DEFAULT_VALIDATION_SHARE = 0.1;

export type PairSplits = Readonly<Record<keyof Splits<unknown>, readonly PairGroup[]>>;

/** Groups as the data splits them; a split that it does not have is empty. */
export interface FoundPairs {
  readonly name: string;
  /** Notes for a person on how they were found, a line each. */
  readonly notes: readonly string[];
  readonly splits: PairSplits;
  readonly contents: PictureContents;
  /** Where the files of the pictures come from. Default: the disk. */
  readonly files?: PictureFiles;
  /** The number of the shard that a picture is in, where they are in shards. */
  readonly shardOf?: (path: string) => number;
}

/** Groups whose pictures a file names, not yet looked for. */
export interface NamedPairs extends FoundPairs {
  /** Each picture lies below one of them. */
  readonly folders: readonly string[];
}

export interface SetAsideOptions {
  /**
   * Without a validation split: the share of the training groups to set aside for validation. Without any held-out
   * split: for the test, and as many again for validation. Default 0.1.
   */
  readonly validationShare?: number;
  /** Decides which groups are set aside. Default 0; two runs that are to be compared need the same. */
  readonly validationSeed?: number;
}

/** `parts` times a share of the groups, and the rest; each in the order of `groups`. */
function setAside(groups: readonly PairGroup[], parts: 1 | 2, options: SetAsideOptions, name: string) {
  const { validationShare = DEFAULT_VALIDATION_SHARE, validationSeed = 0 } = options;
  const count = Math.max(1, Math.round(groups.length * validationShare));
  if (count * parts >= groups.length) {
    throw new DataError({
      expected: `training pictures in ${name} that are left after setting ${parts} × ${count} aside to judge the model`,
      found: `${groups.length} in all`,
      advice: 'Add pictures, or say in the data which picture is of which split.',
    });
  }
  const partOf = new Map<PairGroup, number>();
  permutation(groups.length, randomStream(validationSeed, 'hold-out')).forEach((index, position) => {
    const group = groups[index];
    if (group !== undefined) partOf.set(group, Math.floor(position / count));
  });
  const part = (wanted: number) => groups.filter((group) => partOf.get(group) === wanted);
  const rest = groups.filter((group) => (partOf.get(group) ?? 0) >= parts);
  return { first: part(0), second: part(1), rest };
}

/**
 * Makes up the splits that the data does not have. A lone held-out split is for the test, and validation is set aside
 * from training: one split is never both what chooses a model and what it is judged by.
 * @throws {DataError} when there are no training groups, or too few to set some aside.
 * @throws {RangeError} on a share that is not between 0 and 1.
 */
export function completeSplits(
  { name, splits }: Pick<FoundPairs, 'name' | 'splits'>,
  options: SetAsideOptions,
): PairSplits {
  const { train, validation, test } = splits;
  const { validationShare = DEFAULT_VALIDATION_SHARE } = options;
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new RangeError(`expected validationShare between 0 and 1, got ${validationShare}`);
  }
  if (train.length === 0) {
    throw new DataError({
      expected: `pictures with texts in the split train of ${name}`,
      found: `none (validation: ${validation.length}, test: ${test.length})`,
      advice: 'Add some, or check what the data says about splits.',
    });
  }
  if (validation.length > 0 && test.length > 0) return splits;
  const heldOut = test.length > 0 ? test : validation;
  if (heldOut.length > 0) {
    const { first, rest } = setAside(train, 1, options, name);
    return { train: rest, validation: first, test: heldOut };
  }
  const { first, second, rest } = setAside(train, 2, options, name);
  return { train: rest, validation: second, test: first };
}

/** Describes what {@link completeSplits} made up, a line if anything. */
export function madeUp(found: PairSplits, { validation }: PairSplits): string[] {
  const set = `set aside for validation: ${counted(validation.length, 'example')} of train`;
  if (found.test.length > 0) return found.validation.length > 0 ? [] : [`no validation split; ${set}`];
  if (found.validation.length > 0) return [`no test split: validation is the test; ${set}`];
  return [`no validation and no test split; ${set}, and as many for the test`];
}
