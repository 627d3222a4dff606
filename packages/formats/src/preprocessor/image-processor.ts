import { z } from 'zod';
import { only, wholeObject } from '../layouts/fields';
import {
  type PictureNormalisation,
  clipNormalisation,
  deviations,
  perChannel,
  cropShare,
  showing,
  unchanged,
} from './normalisation';

/** The preparation of pictures, as far as a configuration says it. */
export interface Preparation {
  /** Undefined where it is not said. */
  readonly normalisation: PictureNormalisation | undefined;
  /** Side of the pictures, in pixels; undefined where it is not said. */
  readonly imageSize: number | undefined;
  /** Ways in which its pictures come to their size otherwise than ours, one sentence each. */
  readonly otherwise: readonly string[];
}

/** Ours are scaled by bicubic interpolation until their shorter side fits, and their middle is cut out. */
export const SQUEEZED =
  'squeezes pictures into squares, here their middle is cut out: those that are not square are seen otherwise';
/** The sentence for another interpolation than bicubic; none for bicubic, or where nothing is said. */
export const interpolatedBy = (name: string | null | undefined): string[] =>
  name === undefined || name === null || name === 'bicubic' || name === 'random'
    ? []
    : [`scales pictures by ${name} interpolation, here it is bicubic: their pixels differ slightly`];

/** `PIL.Image.Resampling`. */
const filters = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;

const pixels = z.int().positive();
const notSquare = 'expected as high as wide: only square pictures are supported';
/** The size that a picture is brought to: `edge` is the length of its shorter side, `side` that of all where it is a square. */
interface Frame {
  readonly edge: number;
  /** A number alone is a square or an edge: that depends on the kind of processor. */
  readonly isNumber: boolean;
  readonly side: number | undefined;
}
const squareOf = (height: number, width: number) => ({
  edge: height,
  side: height,
  isNumber: false,
  isSquare: height === width,
});
const square = z
  .union(
    [
      pixels.transform((side) => ({ ...squareOf(side, side), isNumber: true })),
      z.tuple([pixels, pixels]).transform(([height, width]) => squareOf(height, width)),
      z
        .looseObject({ height: pixels, width: pixels })
        .transform(({ height, width }) => squareOf(height, width)),
      z
        .looseObject({ shortest_edge: pixels })
        .transform(({ shortest_edge: edge }) => ({ edge, side: undefined, isNumber: false, isSquare: true })),
    ],
    'expected a number, height and width, or shortest_edge',
  )
  .refine(({ isSquare }) => isSquare, notSquare)
  .transform(({ edge, side, isNumber }): Frame => ({ edge, side, isNumber }));

/** The default is that of the whole scale of bytes. */
const FACTOR = 1 / 255;
const rescaled = 'pictures whose values are not brought to 0…1 are not supported';

/** An image processor of `transformers`. Fields that only say how a picture is brought to its size are not compared. */
const imageProcessor = wholeObject({
  understood: {
    image_processor_type: z.string().nullish(),
    feature_extractor_type: z.string().nullish(),
    do_normalize: z.boolean().nullish(),
    image_mean: perChannel.nullish(),
    image_std: deviations.nullish(),
    size: square.nullish(),
    do_center_crop: z.boolean().nullish(),
    crop_size: square.nullish(),
    crop_pct: cropShare.nullish(),
    do_resize: z.boolean().nullish(),
    default_to_square: z.boolean().nullish(),
    resample: z
      .int()
      .min(0)
      .max(filters.length - 1)
      .nullish(),
  },
  refused: {
    do_rescale: only(true, rescaled),
    rescale_factor: z
      .number()
      .refine((factor) => Math.abs(factor - FACTOR) < 1e-6, `expected 1/255: ${rescaled}`)
      .nullish(),
    rescale_offset: only(false, rescaled),
    do_flip_channel_order: only(false, 'pictures with channels in another order are not supported'),
    do_pad: only(false, 'pictures that are filled up are not supported'),
  },
  immaterial: [
    ...['data_format', 'device', 'disable_grouping', 'do_convert_rgb'],
    ...['do_reduce_labels', 'image_seq_length', 'input_data_format', 'model_input_names'],
    ...['name_or_path', 'pad_size', 'processor_class', 'return_tensors', 'size_divisor'],
    ...['tokenizer_class', 'transformers_version', 'use_fast', 'use_square_size'],
  ],
});

/** Normalisations of these kinds of processors where they do not say one. */
const defaults: readonly (readonly [kind: RegExp, normalisation: PictureNormalisation])[] = [
  [/^ViT(ImageProcessor|FeatureExtractor)/, { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }],
  [/^CLIP(ImageProcessor|FeatureExtractor)/, clipNormalisation],
];

export const preparationBy = imageProcessor.transform((fields): Preparation => {
  const { size, crop_size: crop, do_center_crop: isCropped, crop_pct: share } = fields;
  const cut = isCropped === false ? undefined : (crop ?? undefined);
  const normalisation = normalisationBy(fields);
  const shown = showing(cut && size ? cut.edge / size.edge : share);
  return {
    normalisation: normalisation && { ...normalisation, ...shown },
    imageSize: (cut ?? size)?.side,
    otherwise: [
      ...(isSqueezed(fields) ? [SQUEEZED] : []),
      ...(fields.do_resize === false ? [] : interpolatedBy(filters[fields.resample ?? BICUBIC])),
    ],
  };
});

const BICUBIC = 3;

/** Whether both sides are scaled to one length, whatever they were. */
function isSqueezed(fields: z.output<typeof imageProcessor>): boolean {
  const { size, do_resize: isResized, default_to_square: toSquare } = fields;
  if (!size || size.side === undefined || isResized === false) return false;
  const kind = fields.image_processor_type ?? fields.feature_extractor_type ?? '';
  return !size.isNumber || (toSquare ?? !/^(CLIP|Bit|ConvNext)/.test(kind));
}

function normalisationBy({
  do_normalize: isNormalised,
  image_mean: mean,
  image_std: std,
  image_processor_type: processor,
  feature_extractor_type: extractor,
}: z.output<typeof imageProcessor>): PictureNormalisation | undefined {
  if (isNormalised === false) return unchanged;
  const kind = processor ?? extractor ?? '';
  const usual = defaults.find(([pattern]) => pattern.test(kind))?.[1];
  const said = { mean: mean ?? usual?.mean, std: std ?? usual?.std };
  return said.mean === undefined || said.std === undefined ? undefined : { mean: said.mean, std: said.std };
}

/** `processor_config.json`: since `transformers` 5 it holds the image processor too. */
export const preparationInside = z
  .looseObject({ image_processor: preparationBy.nullish() })
  .transform(({ image_processor: inside }) => inside ?? undefined);
