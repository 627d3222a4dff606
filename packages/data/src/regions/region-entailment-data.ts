import type { RegionEntailmentBatch } from '@winnow/core';
import { type FoundEntailment, judgementsOf } from '../grounded/entailment-data';
import { type TokenizedToldData, type ToldPictureOptions, shownData } from '../grounded/told-data';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions of pictures with a statement each. */
export type TokenizedRegionEntailmentData = TokenizedToldData<RegionEntailmentBatch> & {
  /** R: most regions of a picture. */
  readonly regions: number;
};

/**
 * Statements about the regions of a picture each as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when the data know no boxes, and on broken files with `preload`.
 */
export async function regionEntailmentData(
  found: FoundEntailment,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionEntailmentData> {
  const { most, showing } = shownRegions(found, options, regions);
  return { ...(await shownData(found, options, judgementsOf, showing)), regions: most };
}
