import type { RegionStatementBatch } from '@winnow/core';
import { type FoundStatements, labelsOf } from '../grounded/statement-data';
import { type TokenizedToldData, type ToldPictureOptions, shownData } from '../grounded/told-data';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions of pairs of pictures with statements. */
export type TokenizedRegionStatementData = TokenizedToldData<RegionStatementBatch> & {
  /** R: most regions of a picture. */
  readonly regions: number;
};

/**
 * Statements about regions of two pictures as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when the data know no boxes, and on broken files with `preload`.
 */
export async function regionStatementData(
  found: FoundStatements,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionStatementData> {
  const { most, showing } = shownRegions(found, options, regions);
  return { ...(await shownData(found, options, labelsOf, showing)), regions: most };
}
