import type { PictureRegions } from '@winnow/core';
import { DataError } from '../failure/data-error';
import type { FoundTold, Showing, ToldPicture, ToldPictureOptions } from '../grounded/told-data';
import { shownIn, toldGeometry } from '../grounded/told-data';
import { imageNetNormalisation } from '../picture/normalisation';
import { decoderVersions } from '../picture/read';
import { type KnownRegions, knownRegions, paddedRegions } from './known-regions';
import type { RegionReader } from './region-reader';
import { type RegionChoice, boxesBy, mostRegions } from './region-rule';

/** The choice of regions in pictures, and who says what they show. */
export interface RegionOptions extends RegionChoice {
  readonly reader: RegionReader;
}

/** Regions of pictures in place of their pixels, by the boxes of what is in them. */
export interface ShownRegions {
  /** R: most regions of a picture. */
  readonly most: number;
  readonly showing: Showing<{ readonly regions: PictureRegions }>;
}

/**
 * Regions in place of pixels. Those of a split are read when its first batch is asked for, or come from the cache of the pictures.
 * @throws {DataError} when the data know no boxes.
 */
export function shownRegions(
  found: FoundTold<ToldPicture>,
  options: ToldPictureOptions,
  { reader, ...choice }: RegionOptions,
): ShownRegions {
  const { objectsIn, contents, name, splits } = found;
  if (objectsIn === undefined) {
    throw new DataError({
      expected: 'pictures with boxes of what is in them, for a model that reads regions',
      found: `${name}, which has none`,
      advice: 'Take generated scenes, or a model that reads pixels.',
    });
  }
  const { imageSize, normalisation = imageNetNormalisation, pictureCache: cache } = options;
  const recipe = JSON.stringify([imageSize, normalisation, toldGeometry(options), decoderVersions()]);
  const objects = Object.values(splits).flatMap((examples) =>
    examples.flatMap(shownIn).map((picture) => objectsIn(picture).length),
  );
  return {
    most: mostRegions(
      choice.rule,
      objects.reduce((most, count) => Math.max(most, count), 0),
    ),
    showing: (pictures, paths) => {
      let reading: Promise<ReadonlyMap<string, KnownRegions>> | undefined;
      return async (examples) => {
        reading ??= knownRegions({
          ...{ paths, reader, recipe, cache },
          boxesOf: (path) => boxesBy(choice, path, objectsIn(path)),
          pixels: (some) => pictures.batch(some.map((path, example) => ({ path, example }))),
          contents: () => contents(paths, cache),
        });
        const known = await reading;
        const own = examples.flatMap(shownIn).map((picture) => known.get(picture) ?? NOTHING);
        return { regions: paddedRegions(own, reader.features) };
      };
    },
  };
}

const NOTHING: KnownRegions = { boxes: [], features: new Float32Array() };
