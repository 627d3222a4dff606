import {
  type PictureGeometry,
  type PicturePreparation,
  type PictureSize,
  interpolations,
  isSameSize,
  mappedSides,
  sidesOf,
} from '@winnow/core';

const normalised = ({ mean, std, scale = 1 / 255 }: PicturePreparation) => ({
  do_rescale: true,
  rescale_factor: scale,
  do_normalize: true,
  image_mean: mean,
  image_std: std,
});

const asText = (content: unknown): string => `${JSON.stringify(content, undefined, 2)}\n`;

/** `PIL.Image.BICUBIC`. */
const BICUBIC = 3;

const cutTo = (size: PictureSize) => ({ do_center_crop: true, crop_size: sidesOf(size) });

/**
 * The content of the file that says how pictures are prepared: for our own reading, and for `transformers` as far as it has words
 * for it. A model without a geometry is prepared as our data have it: it is scaled by bicubic interpolation so that it covers
 * H / share × W / share, and the middle H×W is cut out, which the processor of CLIP does with squares, whatever the model.
 * @param imageSize H and W, in pixels.
 */
export function preprocessorConfig(preparation: PicturePreparation, imageSize: PictureSize): string {
  const { geometry, shownShare = 1 } = preparation;
  const values = normalised(preparation);
  if (geometry !== undefined)
    return asText({
      image_processor_type: preparation.processor ?? classFor(geometry, imageSize),
      do_convert_rgb: true,
      ...resizedBy(geometry, imageSize),
      ...values,
      ...ownWords(geometry),
    });
  return asText({
    image_processor_type: 'CLIPImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: coveredBy(mappedSides(imageSize, (side) => Math.round(side / shownShare))),
    resample: BICUBIC,
    ...cutTo(imageSize),
    ...values,
    winnow_resize: 'libvips',
  });
}

/** Scaled to cover a square, the shorter side has its length; `transformers` squeezes pictures to other sizes. */
const coveredBy = (size: PictureSize) => (typeof size === 'number' ? { shortest_edge: size } : size);

/** A class of `transformers` that prepares pictures so: one that squeezes, one that squeezes and cuts, one that cuts. */
function classFor({ resize }: PictureGeometry, imageSize: PictureSize): string {
  if (resize.kind !== 'squash') return 'CLIPImageProcessor';
  return isSameSize(resize, imageSize) ? 'ViTImageProcessor' : 'DeiTImageProcessor';
}

function resizedBy({ resize, interpolation }: PictureGeometry, imageSize: PictureSize) {
  const resample = interpolations.indexOf(interpolation);
  switch (resize.kind) {
    case 'kept':
      return { do_resize: false, resample, ...cutTo(imageSize) };
    case 'squash': {
      const { height, width } = resize;
      const whole = { do_resize: true, size: { height, width }, resample };
      return isSameSize(resize, imageSize)
        ? { ...whole, do_center_crop: false }
        : { ...whole, ...cutTo(imageSize) };
    }
    case 'shortest': {
      const { edge, longest } = resize;
      const size = { shortest_edge: edge, ...(longest === undefined ? {} : { longest_edge: longest }) };
      return { do_resize: true, size, resample, ...cutTo(imageSize) };
    }
    case 'longest':
      return { do_resize: true, size: sidesOf(resize.edge), resample, ...cutTo(imageSize) };
    case 'cover':
    case 'fit': {
      const { height, width } = resize;
      return { do_resize: true, size: { height, width }, resample, ...cutTo(imageSize) };
    }
    default:
      return resize satisfies never;
  }
}

/** Our own words for what `transformers` has none for, and passes over. */
function ownWords({ resize, arithmetic, halves, fill }: PictureGeometry) {
  return {
    ...(resize.kind === 'longest' || resize.kind === 'fit' ? { winnow_resize: 'longest' } : {}),
    ...(resize.kind === 'cover' ? { winnow_resize: 'cover' } : {}),
    ...(halves === 'even' ? { winnow_halves: halves } : {}),
    ...(fill === undefined ? {} : { winnow_fill: fill }),
    ...(arithmetic === 'torch' ? {} : { winnow_arithmetic: arithmetic }),
  };
}

/**
 * Where `transformers` prepares pictures otherwise than the file means, one sentence; nothing where it does not.
 * @param imageSize H and W; undefined for a model of texts.
 */
export function differencesOfTransformers(
  { geometry }: PicturePreparation,
  imageSize: PictureSize | undefined,
): string[] {
  const squeezed =
    'transformers has no processor that scales a picture to cover a rectangle: its pictures will be squeezed';
  if (geometry === undefined) return typeof imageSize === 'object' ? [squeezed] : [];
  const { resize, halves, arithmetic } = geometry;
  if (resize.kind === 'longest' || resize.kind === 'fit')
    return [
      'transformers has no processor that fits a picture into its size and fills the rest: its pictures will be squeezed',
    ];
  if (resize.kind === 'cover') return [squeezed];
  return halves === 'even' || arithmetic === 'pillow'
    ? [
        'transformers rounds otherwise than the library that the preparation of pictures is from: levels may differ by one or two, and the middle by a pixel',
      ]
    : [];
}
