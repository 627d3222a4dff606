import { UserError, disposeTree } from '@winnow/core';
import { DataError, imageNetNormalisation, thumbnail } from '@winnow/data';
import type { ChangedPictures } from '@winnow/report';
import { z } from 'zod';
import { openModel, pictureSizeIn } from '../model-source/open-model';
import type { Predictions } from '../run-folder/predictions';
import { picturesOf } from '../workload/prepared';
import { openDataOfRun } from './data-of-run';

/** A page shows so many pictures of either kind, and so large. */
const MOST_SHOWN = 8;
const SIDE_PX = 112;

const pictures = z.object({ images: z.instanceof(Float32Array), labels: z.instanceof(Int32Array) });

type Both = Predictions & Required<Pick<Predictions, 'compressed'>>;

/**
 * Counts the pictures of the test split that the smaller model lost and gained, and shows some of both. Where the data are gone, or are
 * not what they were, it says so instead.
 */
export async function changedPictures(folder: string, predictions: Both): Promise<ChangedPictures> {
  const { labels, dense, compressed } = predictions;
  const changed = [...labels.keys()].filter(
    (place) => (dense[place] === labels[place]) !== (compressed[place] === labels[place]),
  );
  const lost = changed.filter((place) => dense[place] === labels[place]);
  const gained = changed.filter((place) => dense[place] !== labels[place]);
  const counts = { lost: lost.length, gained: gained.length };
  const places = [...spread(lost), ...spread(gained)];
  if (places.length === 0) return { ...counts, shown: [], reason: '' };
  const sources = await thumbnailsOf(folder, labels, places);
  if (typeof sources === 'string') return { ...counts, shown: [], reason: sources };
  const nameOf = (index = -1) => predictions.classNames[index] ?? String(index);
  const shown = places.map((place, position) => ({
    source: sources[position] ?? '',
    label: nameOf(labels[place]),
    before: nameOf(dense[place]),
    after: nameOf(compressed[place]),
  }));
  return { ...counts, shown, reason: '' };
}

/** Some of them from all over the split: neighbours are of one class. */
const spread = (places: readonly number[]): number[] => {
  const count = Math.min(MOST_SHOWN, places.length);
  return Array.from({ length: count }, (_, k) => places[Math.floor((k * places.length) / count)] ?? 0);
};

/** @returns the reason when they cannot be had. */
async function thumbnailsOf(
  folder: string,
  labels: readonly number[],
  places: readonly number[],
): Promise<readonly string[] | string> {
  try {
    const opened = await openModel(folder);
    const imageSize = pictureSizeIn(opened.model);
    disposeTree(opened.params);
    const { test } = await openDataOfRun(opened, folder);
    if (test.size !== labels.length)
      return `the test split has ${test.size} pictures now, not ${labels.length}.`;
    const batch = pictures.safeParse(await test.batch(places));
    if (!batch.success || imageSize === undefined) return 'the data are no pictures with classes.';
    const { images, labels: now } = batch.data;
    if (places.some((place, position) => now[position] !== labels[place]))
      return 'the test split is in another order now.';
    const length = images.length / places.length;
    return await Promise.all(
      places.map((_, position) =>
        thumbnail(
          images.subarray(position * length, (position + 1) * length),
          imageSize,
          picturesOf(opened.preparation).normalisation ?? imageNetNormalisation,
          SIDE_PX,
        ),
      ),
    );
  } catch (error) {
    if (!(error instanceof UserError || error instanceof DataError || error instanceof RangeError))
      throw error;
    return `${error.message}.`;
  }
}
