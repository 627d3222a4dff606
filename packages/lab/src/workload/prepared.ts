import type { ImageOptions } from '@winnow/data';
import type { PictureNormalisation } from '@winnow/formats';

/** How the pictures of a model are prepared, as options of a dataset; the data's own way where nothing is said. */
export function picturesOf(
  normalisation: PictureNormalisation | undefined,
): Pick<ImageOptions, 'normalisation' | 'evaluationCropShare'> {
  if (normalisation === undefined) return {};
  const { mean, std, shownShare } = normalisation;
  return {
    normalisation: { mean, std },
    ...(shownShare === undefined ? {} : { evaluationCropShare: shownShare }),
  };
}
