import type { PicturePreparation, PictureSize } from '@winnow/core';
import { type UnlabelledPictures, toldGeometry, unlabelledPictures } from '@winnow/data';
import { checkChannels } from '../workload/fit';
import { picturesOf } from '../workload/prepared';

/**
 * Pictures squashed to the size of a model as a whole, as it was trained: boxes are shares of their sides.
 * @throws {UserError} for a model of other channels.
 */
export function wholePicturesFor(
  paths: readonly string[],
  vision: { readonly imageSize: PictureSize; readonly channels: number },
  preparation: PicturePreparation | undefined,
): UnlabelledPictures {
  const { imageSize } = vision;
  const { normalisation, evaluationGeometry } = picturesOf(preparation);
  const pictures = unlabelledPictures(paths, {
    imageSize,
    ...(normalisation === undefined ? {} : { normalisation }),
    evaluationGeometry: toldGeometry({ imageSize, ...(evaluationGeometry && { evaluationGeometry }) }),
  });
  checkChannels(vision, { name: 'a picture file', channels: pictures.channels });
  return pictures;
}
