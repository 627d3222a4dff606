import type { PicturePreparation } from '@winnow/core';
import type { ImageOptions } from '@winnow/data';

/** The preparation of a model's pictures, as options of a dataset; the data's own way where nothing is said. */
export function picturesOf(
  preparation: PicturePreparation | undefined,
): Pick<ImageOptions, 'normalisation' | 'evaluationCropShare' | 'evaluationGeometry'> {
  if (preparation === undefined) return {};
  const { mean, std, scale, geometry, shownShare } = preparation;
  return {
    normalisation: { mean, std, ...(scale === undefined ? {} : { scale }) },
    ...(geometry === undefined ? {} : { evaluationGeometry: geometry }),
    ...(shownShare === undefined ? {} : { evaluationCropShare: shownShare }),
  };
}
