import type { RegionBox, RegionGroundingBatch } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { visibly } from '../failure/visible';
import type { FoundGroundings, GroundedExample } from '../grounded/grounded-example';
import { type TokenizedToldData, type ToldPictureOptions, shownData } from '../grounded/told-data';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions of pictures with texts that mean one object each. */
export type TokenizedRegionGroundingData = TokenizedToldData<RegionGroundingBatch> & {
  /** R: most regions of a picture. */
  readonly regions: number;
};

/** The boxes that texts mean in each picture, where nothing else says what is in it. */
function meantBoxes({ splits }: FoundGroundings): (picture: string) => readonly RegionBox[] {
  const boxes = new Map<string, Map<string, RegionBox>>();
  for (const { picture, objects } of Object.values(splits).flat()) {
    const own = boxes.get(picture) ?? new Map<string, RegionBox>();
    for (const { box } of objects) own.set(box.join(), box);
    boxes.set(picture, own);
  }
  return (picture) => [...(boxes.get(picture)?.values() ?? [])];
}

function refuseSeveral({ name, splits }: FoundGroundings): void {
  const several = Object.values(splits)
    .flat()
    .find(({ objects }) => objects.length !== 1);
  if (several === undefined) return;
  throw new DataError({
    expected: `texts in ${name} that mean one object each, for a model that picks one of the regions`,
    found: `the text ${visibly(several.text)}, which means ${several.objects.length}`,
    advice: 'Take referring expressions, or an MDETR, which finds any number of objects.',
  });
}

const truthsOf = (examples: readonly GroundedExample[]) => ({
  truths: Float32Array.from(examples.flatMap(({ objects: [object] }) => [...(object?.box ?? [0, 0, 0, 0])])),
});

/**
 * Texts that mean one of the regions of a picture as data for training and evaluation. Where the data do not say what is in a picture,
 * its regions are the boxes that any of their texts means.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when a text means several objects, and on broken files with `preload`.
 */
export async function regionGroundingData(
  found: FoundGroundings,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionGroundingData> {
  refuseSeveral(found);
  const known = { ...found, objectsIn: found.objectsIn ?? meantBoxes(found) };
  const { most, showing } = shownRegions(known, options, regions);
  const data = await shownData(known, options, truthsOf, showing);
  const note = `the regions of a picture are the boxes that texts of ${found.name} mean in it: other objects are not known`;
  return {
    ...data,
    regions: most,
    notes: found.objectsIn === undefined ? [...data.notes, note] : data.notes,
  };
}
