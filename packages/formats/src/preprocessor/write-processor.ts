import { type PictureGeometry, type PicturePreparation, interpolations } from '@winnow/core';

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

const square = (side: number) => ({ height: side, width: side });
const cutTo = (side: number) => ({ do_center_crop: true, crop_size: square(side) });

/**
 * The content of the file that says how pictures are prepared: for our own reading, and for `transformers` as far as it has words
 * for it. A model without a geometry is prepared as our data have it: the shorter side is scaled to S / share by bicubic
 * interpolation, and the middle S×S is cut out, which the processor of CLIP does, whatever the model.
 * @param imageSize S, in pixels.
 */
export function preprocessorConfig(preparation: PicturePreparation, imageSize: number): string {
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
    size: { shortest_edge: Math.round(imageSize / shownShare) },
    resample: BICUBIC,
    ...cutTo(imageSize),
    ...values,
    winnow_resize: 'libvips',
  });
}

/** A class of `transformers` that prepares pictures so: one that squeezes, one that squeezes and cuts, one that cuts. */
function classFor({ resize }: PictureGeometry, imageSize: number): string {
  if (resize.kind !== 'squash') return 'CLIPImageProcessor';
  return isWhole(resize, imageSize) ? 'ViTImageProcessor' : 'DeiTImageProcessor';
}

const isWhole = ({ height, width }: { height: number; width: number }, imageSize: number): boolean =>
  height === imageSize && width === imageSize;

function resizedBy({ resize, interpolation }: PictureGeometry, imageSize: number) {
  const resample = interpolations.indexOf(interpolation);
  switch (resize.kind) {
    case 'kept':
      return { do_resize: false, resample, ...cutTo(imageSize) };
    case 'squash': {
      const { height, width } = resize;
      const whole = { do_resize: true, size: { height, width }, resample };
      return isWhole(resize, imageSize)
        ? { ...whole, do_center_crop: false }
        : { ...whole, ...cutTo(imageSize) };
    }
    case 'shortest': {
      const { edge, longest } = resize;
      const size = { shortest_edge: edge, ...(longest === undefined ? {} : { longest_edge: longest }) };
      return { do_resize: true, size, resample, ...cutTo(imageSize) };
    }
    case 'longest':
      return { do_resize: true, size: square(resize.edge), resample, ...cutTo(imageSize) };
    default:
      return resize satisfies never;
  }
}

/** What `transformers` has no words for, and passes over. */
function ownWords({ resize, arithmetic, halves, fill }: PictureGeometry) {
  return {
    ...(resize.kind === 'longest' ? { winnow_resize: 'longest' } : {}),
    ...(halves === 'even' ? { winnow_halves: halves } : {}),
    ...(fill === undefined ? {} : { winnow_fill: fill }),
    ...(arithmetic === 'torch' ? {} : { winnow_arithmetic: arithmetic }),
  };
}

/** Where `transformers` prepares pictures otherwise than the file means, one sentence; nothing where it does not. */
export function differencesOfTransformers({ geometry }: PicturePreparation): string[] {
  if (geometry === undefined) return [];
  const { resize, halves, arithmetic } = geometry;
  if (resize.kind === 'longest')
    return [
      'transformers has no processor that fits a picture into a square and fills the rest: its pictures will be squeezed',
    ];
  return halves === 'even' || arithmetic === 'pillow'
    ? [
        'transformers rounds otherwise than the library that the preparation of pictures is from: levels may differ by one or two, and the middle by a pixel',
      ]
    : [];
}
