import type { RegionPairBatch } from '@winnow/core';
import {
  type FoundTold,
  type TokenizedToldData,
  type ToldPicture,
  type ToldPictureOptions,
  shownData,
} from '../grounded/told-data';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions of pictures with texts: an example is a picture and one of its texts. */
export type TokenizedRegionPairData = TokenizedToldData<RegionPairBatch> & {
  /** R: most regions of a picture. */
  readonly regions: number;
};

/**
 * Texts about regions for retrieval: texts about one picture are of one group with it.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when the data know no boxes, and on broken files with `preload`.
 */
export async function regionPairData(
  found: FoundTold<ToldPicture>,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionPairData> {
  const { most, showing } = shownRegions(found, options, regions);
  const groups = new Map<string, number>();
  for (const { picture } of Object.values(found.splits).flat())
    if (!groups.has(picture)) groups.set(picture, groups.size);
  const grouped = (examples: readonly ToldPicture[]) => {
    const own = Int32Array.from(examples, ({ picture }) => groups.get(picture) ?? -1);
    return { imageGroups: own, textGroups: own };
  };
  return { ...(await shownData(found, options, grouped, showing)), regions: most };
}
