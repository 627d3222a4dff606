import type { Dataset, PictureSize } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { type ImageOptions, picturesFor } from '../picture/image-options';
import { CHANNELS } from '../picture/picture';
import type { PreparedPictures } from '../picture/prepared';
import type { BrokenPicture } from './find-pictures';

/** Pictures without labels, in host memory, and those that were asked for and are broken. */
export interface PictureBatch {
  /** B: the number of pictures that are there. */
  readonly size: number;
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  readonly images: Float32Array;
  /** Their files, [B]. */
  readonly paths: readonly string[];
  readonly broken: readonly BrokenPicture[];
}

/** Pictures without labels, ready for a model of one input size. */
export interface UnlabelledPictures {
  /** Its batches leave broken pictures out, so they may be smaller than what is asked for, even empty. */
  readonly dataset: Dataset<PictureBatch>;
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
  readonly channels: number;
}

/**
 * Picture files, prepared as pictures with labels are for evaluation. A batch is decoded when it is asked for and kept
 * nowhere, so memory does not grow with their number.
 * @throws {RangeError} on options outside their range; its batches on an index out of range.
 */
export function unlabelledPictures(
  paths: readonly string[],
  options: Omit<ImageOptions, 'augmentation' | 'cacheBytes' | 'preload' | 'pictureCache' | 'workers'>,
): UnlabelledPictures {
  // Whatever one batch holds is kept until the batch is made: a picture is not decoded twice.
  const prepared = (): PreparedPictures => picturesFor({ ...options, cacheBytes: Infinity }, 'none');
  prepared(); // options are refused at once
  const at = (index: number): string => {
    const path = paths[index];
    if (path === undefined) throw new RangeError(`expected an index below ${paths.length}, got ${index}`);
    return path;
  };
  const batch = async (indices: readonly number[]): Promise<PictureBatch> => {
    const pictures = prepared();
    const looked = await Promise.all(indices.map((index) => look(at(index), pictures)));
    const usable = looked.flatMap(({ picture, problem }) => (problem === undefined ? [picture] : []));
    return {
      size: usable.length,
      images: await pictures.batch(usable.map((path, example) => ({ path, example }))),
      paths: usable,
      broken: looked.flatMap(({ picture, problem }) => (problem === undefined ? [] : [{ picture, problem }])),
    };
  };
  return { dataset: { size: paths.length, batch }, imageSize: options.imageSize, channels: CHANNELS };
}

async function look(
  picture: string,
  pictures: Pick<PreparedPictures, 'load'>,
): Promise<{ readonly picture: string; readonly problem?: string }> {
  try {
    await pictures.load(picture, false);
    return { picture };
  } catch (error) {
    if (error instanceof DataError) return { picture, problem: error.message };
    throw error;
  }
}
