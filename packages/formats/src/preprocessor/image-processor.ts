import {
  type PerChannel,
  type PictureGeometry,
  type PicturePreparation,
  type PictureResize,
  type PictureSize,
  interpolations,
  pictureSizeOf,
  sidesOf,
} from '@winnow/core';
import { z } from 'zod';
import { only, wholeObject } from '../layouts/fields';
import { cropShare, deviations, perChannel, unchanged } from './normalisation';
import { type Prepared, inProportion, pixels } from './prepared';
import { type ProcessorKind, kindNamed, processorKinds } from './processor-kinds';

/** A size as it is said. */
type Size =
  | number
  | { readonly height: number; readonly width: number }
  | { readonly shortest_edge: number; readonly longest_edge?: number | null | undefined };

const sides = ({ height, width }: { height: number; width: number }) => ({ height, width });
const size = z.union(
  [
    pixels,
    z.tuple([pixels, pixels]).transform(([height, width]) => ({ height, width })),
    z.strictObject({ height: pixels, width: pixels }).transform(sides),
    z.strictObject({ shortest_edge: pixels, longest_edge: pixels.nullish() }),
  ],
  'expected a number, height and width, or shortest_edge',
);
const crop = z.union(
  [
    pixels,
    z.tuple([pixels, pixels]).transform(([height, width]) => pictureSizeOf({ height, width })),
    z.strictObject({ height: pixels, width: pixels }).transform(pictureSizeOf),
    z.strictObject({ shortest_edge: pixels }).transform(({ shortest_edge: side }) => side),
  ],
  'expected a number, or height and width',
);

/** The factor for the whole scale of bytes. */
const FACTOR = 1 / 255;
const level = z.int().min(0).max(255);

/** Ways that `transformers` has no words for; it passes over these fields. */
const ownFields = {
  winnow_resize: z.enum(['longest', 'cover', 'libvips']).nullish(),
  winnow_halves: z.enum(['down', 'even']).nullish(),
  winnow_fill: z.tuple([level, level, level]).nullish(),
  winnow_arithmetic: z.enum(['pillow', 'torch']).nullish(),
};

/** An image processor of `transformers`. */
const imageProcessor = wholeObject({
  understood: {
    image_processor_type: z.string().nullish(),
    feature_extractor_type: z.string().nullish(),
    do_normalize: z.boolean().nullish(),
    image_mean: perChannel.nullish(),
    image_std: deviations.nullish(),
    do_rescale: z.boolean().nullish(),
    rescale_factor: z.number().positive().nullish(),
    do_resize: z.boolean().nullish(),
    size: size.nullish(),
    default_to_square: z.boolean().nullish(),
    use_square_size: z.boolean().nullish(),
    resample: z
      .int()
      .min(0)
      .max(interpolations.length - 1)
      .nullish(),
    do_center_crop: z.boolean().nullish(),
    crop_size: crop.nullish(),
    crop_pct: cropShare.nullish(),
    ...ownFields,
  },
  refused: {
    rescale_offset: only(false, 'values that are moved beside their mean are not supported'),
    do_flip_channel_order: only(false, 'pictures with channels in another order are not supported'),
    do_pad: only(false, 'pictures that are filled up are not supported'),
  },
  immaterial: [
    ...['data_format', 'device', 'disable_grouping', 'do_convert_rgb'],
    ...['do_reduce_labels', 'image_seq_length', 'input_data_format', 'model_input_names'],
    ...['name_or_path', 'pad_size', 'processor_class', 'return_tensors', 'size_divisor'],
    ...['tokenizer_class', 'transformers_version', 'use_fast'],
  ],
});
type Said = z.output<typeof imageProcessor>;

/** A processor with its class; the defaults of the class stand where nothing is said. */
interface Processor {
  readonly name: string | undefined;
  readonly kind: ProcessorKind | undefined;
  readonly said: Said;
}

/**
 * The schema of an image processor's configuration; undefined where it does not say enough.
 * @param usual The class that prepares the pictures of the model, where the configuration names none.
 */
export const preparationBy = (usual: string | undefined) =>
  imageProcessor.transform((said, context): Prepared | undefined => {
    const named = said.image_processor_type ?? said.feature_extractor_type ?? usual;
    const kind = named === undefined ? undefined : kindNamed(named);
    if (named !== undefined && kind === undefined) {
      context.addIssue({
        code: 'custom',
        path: [said.feature_extractor_type ? 'feature_extractor_type' : 'image_processor_type'],
        message: `expected ${Object.keys(processorKinds)
          .map((name) => `${name}ImageProcessor`)
          .join(
            ', ',
          )}, got ${named}: if it prepares pictures as one of these does, write that name with all of its fields`,
      });
      return z.NEVER;
    }
    if (kind !== undefined && typeof said.crop_pct === 'number') {
      context.addIssue({
        code: 'custom',
        path: ['crop_pct'],
        message: `expected none: ${named} does not use it; say size and crop_size`,
      });
      return z.NEVER;
    }
    const processor = { name: named, kind, said };
    const values = valuesOf(processor);
    if (values === undefined) return undefined;
    const { resize, seen, isFree } = resizeOf(processor);
    if (resize === undefined) return ownWay({ ...values, ...shownOf(said.crop_pct) });
    if (said.winnow_resize === 'libvips')
      return ownWay({ ...values, ...shownOf(shareOf(resize, seen)) }, seen);
    const native = seen ?? (resize.kind === 'shortest' ? resize.edge : undefined);
    const geometry = geometryOf(processor, resize);
    const bordered = borderedBy(processor, seen);
    const preparation = {
      ...values,
      ...(kind === undefined || named === undefined ? {} : { processor: named }),
    };
    return {
      imageSize: bordered === undefined ? seen : undefined,
      notes: [
        ...(isFree
          ? [
              'leaves pictures as long as they come, here their middle is cut out, as no size to cut to is said',
            ]
          : []),
        ...(bordered === undefined
          ? []
          : [
              `says no crop_size, and the usual ${bordered} is more than its pictures have: those of ${bordered} px get a black border, of other sizes none`,
            ]),
      ],
      at: (imageSize) =>
        native === undefined || imageSize === bordered
          ? { ...preparation, geometry }
          : inProportion(preparation, geometry, native)(imageSize),
    };
  });

const ownWay = (preparation: PicturePreparation, imageSize?: PictureSize): Prepared => ({
  imageSize,
  notes: [],
  at: () => preparation,
});

/** The share of a shorter side that is cut out; all of it where nothing is. */
function shareOf(resize: PictureResize, seen: PictureSize | undefined): number | undefined {
  if (seen === undefined) return undefined;
  const { height } = sidesOf(seen);
  if (resize.kind === 'shortest') return height / resize.edge;
  return resize.kind === 'squash' ? height / resize.height : undefined;
}
const shownOf = (share: number | null | undefined): Pick<PicturePreparation, 'shownShare'> =>
  share === undefined || share === null || share >= 1 ? {} : { shownShare: share };

/** The treatment of the values; undefined where mean or deviation are open. */
function valuesOf({ kind, said }: Processor): Pick<PicturePreparation, 'mean' | 'std' | 'scale'> | undefined {
  const factor = said.do_rescale === false ? 1 : (said.rescale_factor ?? FACTOR);
  const scale = Math.abs(factor - FACTOR) < 1e-9 ? {} : { scale: factor };
  if (said.do_normalize === false) return { ...unchanged, ...scale };
  const mean: PerChannel | undefined = said.image_mean ?? kind?.mean;
  const std: PerChannel | undefined = said.image_std ?? kind?.std;
  return mean === undefined || std === undefined ? undefined : { mean, std, ...scale };
}

/** The way of pictures to their size, and the size that comes out, where all have one. */
function resizeOf({ kind, said }: Processor): {
  readonly resize: PictureResize | undefined;
  readonly seen: PictureSize | undefined;
  /** Whether pictures keep a shape of their own. */
  readonly isFree: boolean;
} {
  const cuts = said.do_center_crop ?? (kind === undefined ? true : kind.crop !== undefined);
  const cut = cuts ? (said.crop_size ?? usualCrop({ kind, said })) : undefined;
  if (said.do_resize === false) return { resize: { kind: 'kept' }, seen: cut, isFree: cut === undefined };
  const asked = said.size ?? kind?.size;
  if (asked === undefined) return { resize: undefined, seen: undefined, isFree: false };
  const toSquare =
    said.use_square_size === true || (said.default_to_square ?? (kind === undefined || kind.toSquare));
  const resize = resizeTo(asked, toSquare, said.winnow_resize);
  if (cut !== undefined) return { resize, seen: cut, isFree: false };
  if ('height' in resize) return { resize, seen: pictureSizeOf(resize), isFree: false };
  if (resize.kind === 'longest') return { resize, seen: resize.edge, isFree: false };
  return { resize, seen: undefined, isFree: true };
}

/**
 * Side of the square that is cut out where only the size before it is said: the class's own, but nothing longer than the
 * pictures are then, which would be mostly a border.
 */
function usualCrop({ kind, said: { size: asked } }: Pick<Processor, 'kind' | 'said'>): number | undefined {
  if (kind?.crop === undefined || asked === undefined || asked === null) return kind?.crop;
  const shorter =
    typeof asked === 'number'
      ? asked
      : 'height' in asked
        ? Math.min(asked.height, asked.width)
        : asked.shortest_edge;
  return Math.min(kind.crop, shorter);
}

/**
 * The class's own square, where no other is said and it is more than the pictures have: `transformers` surrounds them with
 * black, which makes sense for a model of that size alone.
 */
function borderedBy({ kind, said }: Processor, seen: PictureSize | undefined): number | undefined {
  if (kind?.crop === undefined || seen === undefined || (said.crop_size ?? undefined) !== undefined)
    return undefined;
  const cuts = said.do_center_crop ?? true;
  return cuts && sidesOf(seen).width < kind.crop ? kind.crop : undefined;
}

function resizeTo(asked: Size, toSquare: boolean, ownWay: Said['winnow_resize']): PictureResize {
  if (typeof asked === 'number')
    return toSquare ? { kind: 'squash', height: asked, width: asked } : { kind: 'shortest', edge: asked };
  if ('height' in asked) {
    if (ownWay === 'cover') return { kind: 'cover', ...asked };
    if (ownWay !== 'longest') return { kind: 'squash', ...asked };
    return asked.height === asked.width ? { kind: 'longest', edge: asked.height } : { kind: 'fit', ...asked };
  }
  const { shortest_edge: edge, longest_edge: longest } = asked;
  return { kind: 'shortest', edge, ...(longest ? { longest } : {}) };
}

/** `PIL.Image.BICUBIC`. */
const BICUBIC = 3;

function geometryOf({ kind, said }: Processor, resize: PictureResize): PictureGeometry {
  const { winnow_fill: fill } = said;
  return {
    resize,
    interpolation: interpolations[said.resample ?? kind?.resample ?? BICUBIC] ?? 'bicubic',
    arithmetic: said.winnow_arithmetic ?? 'torch',
    halves: said.winnow_halves ?? 'down',
    ...(fill ? { fill } : {}),
  };
}

/** `processor_config.json`: since `transformers` 5 it holds the image processor too. */
export const preparationInside = (usual: string | undefined) =>
  z
    .looseObject({ image_processor: preparationBy(usual).nullish() })
    .transform(({ image_processor: inside }) => inside ?? undefined);
