import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { holdOut } from '../split/hold-out';
import type { LabelledSplits } from './classification';
import type { DivideOptions } from './divided';

const DEFAULT_VALIDATION_SHARE = 0.1;

export interface SetAside extends DivideOptions {
  /**
   * With a training split and none for validation: the share of each class's training pictures to set aside for validation.
   * Default 0.1.
   */
  readonly validationShare?: number;
}

/** @throws {RangeError} on a share that is not between 0 and 1. */
export function setAsideOptions({
  validationShare = DEFAULT_VALIDATION_SHARE,
  validationSeed = 0,
}: SetAside): {
  readonly validationShare: number;
  readonly validationSeed: number;
} {
  if (validationShare > 0 && validationShare < 1) return { validationShare, validationSeed };
  throw new RangeError(`expected validationShare between 0 and 1, got ${validationShare}`);
}

type Splits = LabelledSplits['splits'];

/**
 * Sets validation aside from training where it is missing, or where it has to be the test: one split is never both what chooses
 * a model and what it is judged by.
 * @param source The folder or file that the pictures are from, for messages.
 * @returns the splits with a line on what was set aside, if anything.
 * @throws {DataError} when nothing is held out, or no class has two pictures to train on.
 * @throws {RangeError} on a share that is not between 0 and 1.
 */
export function completedSplits(
  { train, validation, test }: Splits,
  source: string,
  options: SetAside,
): { readonly splits: Splits; readonly notes: readonly string[] } {
  const { validationShare, validationSeed } = setAsideOptions(options);
  if (validation.length > 0 && test.length > 0) return { splits: { train, validation, test }, notes: [] };
  const judged = test.length > 0 ? test : validation;
  if (judged.length === 0) {
    throw new DataError({
      expected: `held-out pictures in ${source}, of the split test or validation`,
      found: 'the split train alone',
      advice: 'Hold some pictures of each class out, or leave all splits out to have them divided.',
    });
  }
  const { kept, heldOut } = holdOut(train, validationShare, validationSeed);
  if (heldOut.length === 0) {
    throw new DataError({
      expected: `at least two training pictures of some class in ${source}, to set one aside for validation`,
      found: counted(train.length, 'picture'),
      advice: 'Add pictures, or some of the split validation.',
    });
  }
  const set = `set aside for validation: ${counted(heldOut.length, 'picture')} of train`;
  const note =
    test.length > 0 ? `no validation split; ${set}` : `no test split: validation is the test; ${set}`;
  return { splits: { train: kept, validation: heldOut, test: judged }, notes: [note] };
}
