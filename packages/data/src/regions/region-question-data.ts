import type { RegionQuestionBatch } from '@winnow/core';
import { type FoundQuestions, answersIn } from '../grounded/question-data';
import { type TokenizedToldData, type ToldPictureOptions, shownData } from '../grounded/told-data';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions of pictures with questions. */
export type TokenizedRegionQuestionData = TokenizedToldData<RegionQuestionBatch> &
  Pick<FoundQuestions, 'kinds'> & {
    /** R: most regions of a picture. */
    readonly regions: number;
  };

/**
 * Questions about regions of pictures as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when the data know no boxes, and on broken files with `preload`.
 */
export async function regionQuestionData(
  found: FoundQuestions,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionQuestionData> {
  const { most, showing } = shownRegions(found, options, regions);
  return { ...(await shownData(found, options, answersIn, showing)), kinds: found.kinds, regions: most };
}
