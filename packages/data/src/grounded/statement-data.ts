import type { StatementBatch } from '@winnow/core';
import {
  type FoundTold,
  type TokenizedToldData,
  type ToldPicture,
  type ToldPictureOptions,
  toldData,
} from './told-data';

/** Two pictures and a statement about them. */
export interface StatedExample extends ToldPicture {
  readonly right: string;
  /** 1 where it is true. */
  readonly label: 0 | 1;
}

export type FoundStatements = FoundTold<StatedExample>;
export type TokenizedStatementData = TokenizedToldData<StatementBatch>;

/** Whether statements are true. */
export const labelsOf = (examples: readonly StatedExample[]) => ({
  labels: Int32Array.from(examples, ({ label }) => label),
});

/**
 * Statements about two pictures as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export const statementData = (
  found: FoundStatements,
  options: ToldPictureOptions,
): Promise<TokenizedStatementData> => toldData(found, options, labelsOf);
