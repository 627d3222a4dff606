import { type PictureSize, isSameSize, sidesOf } from '../families/picture-sides';

/** Ways to find values between pixels; all but `nearest` average over as many pixels as a reduction asks for, as Pillow does. */
export const interpolations = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type Interpolation = (typeof interpolations)[number];

/** A number for each of red, green and blue. */
export type PerChannel = readonly [number, number, number];

/**
 * The way to bring a picture to a size, in pixels:
 * - `kept`: it stays as large as it is.
 * - `squash`: both sides are scaled to given lengths.
 * - `shortest`: the shorter side is scaled to `edge`, the longer one along with it; where it would be longer than `longest`, that
 *   is its length instead.
 * - `longest`: it is scaled so that it just fits into a square of `edge`.
 * - `cover`, `fit`: it is scaled, in its own proportions, so that it just covers a rectangle or just fits into it.
 */
export type PictureResize =
  | { readonly kind: 'kept' }
  | { readonly kind: 'squash'; readonly height: number; readonly width: number }
  | { readonly kind: 'shortest'; readonly edge: number; readonly longest?: number }
  | { readonly kind: 'longest'; readonly edge: number }
  | { readonly kind: 'cover' | 'fit'; readonly height: number; readonly width: number };

/** The way from a picture of any shape to one of the model's size, whose middle it keeps. */
export interface PictureGeometry {
  readonly resize: PictureResize;
  readonly interpolation: Interpolation;
  /** Whose rounding: that of Pillow 13, or of torch on bytes, as Hugging Face's processors have it since version 5. */
  readonly arithmetic: 'pillow' | 'torch';
  /**
   * Where the middle lies when an odd number of pixels is cut off: half a pixel is rounded `down` (Hugging Face) or to the
   * `even` number (torchvision, so timm and open_clip).
   */
  readonly halves: 'down' | 'even';
  /** Levels, 0 … 255, of what a smaller picture is surrounded by; black where nothing is said. */
  readonly fill?: PerChannel;
}

/** The way from pictures to a model's input. */
export interface PicturePreparation {
  /** Normalised values are (level · scale − mean) / deviation, for levels of 0 … 255. */
  readonly mean: PerChannel;
  readonly std: PerChannel;
  /** 1/255 where nothing is said. */
  readonly scale?: number;
  /** Without it, pictures come to their size as the data have it. */
  readonly geometry?: PictureGeometry;
  /**
   * Without a geometry: the share of a picture's shorter side that evaluation shows. It is scaled so that it covers H / share ×
   * W / share, and the middle H×W is cut out. All of it where nothing is said.
   */
  readonly shownShare?: number;
  /** The class of Hugging Face's library that prepares them so, where it is known. */
  readonly processor?: string;
}

/**
 * The same preparation for pictures of another size: all lengths in proportion, rounded. Where the proportions of the sides
 * change, what was scaled by one of its sides is scaled to cover, or to fit into, both lengths.
 * @throws {RangeError} when a longest side is said and the proportions change.
 */
export function resizedGeometry(
  geometry: PictureGeometry,
  from: PictureSize,
  to: PictureSize,
): PictureGeometry {
  if (isSameSize(from, to)) return geometry;
  const [before, after] = [sidesOf(from), sidesOf(to)];
  const scaled = (length: number, side: 'height' | 'width'): number =>
    Math.max(1, Math.round((length * after[side]) / before[side]));
  const isSimilar = before.height * after.width === before.width * after.height;
  return { ...geometry, resize: resizedBy(geometry.resize, scaled, isSimilar) };
}

function resizedBy(
  resize: PictureResize,
  scaled: (length: number, side: 'height' | 'width') => number,
  isSimilar: boolean,
): PictureResize {
  const both = (height: number, width: number) => ({
    height: scaled(height, 'height'),
    width: scaled(width, 'width'),
  });
  switch (resize.kind) {
    case 'kept':
      return resize;
    case 'squash':
    case 'cover':
    case 'fit':
      return { kind: resize.kind, ...both(resize.height, resize.width) };
    case 'shortest': {
      const { edge, longest } = resize;
      if (!isSimilar && longest !== undefined) {
        throw new RangeError(
          'expected no longest edge of pictures that are scaled for other proportions, as it is that of no side',
        );
      }
      if (!isSimilar) return { kind: 'cover', ...both(edge, edge) };
      return {
        kind: 'shortest',
        edge: scaled(edge, 'width'),
        ...(longest === undefined ? {} : { longest: scaled(longest, 'width') }),
      };
    }
    case 'longest':
      return isSimilar
        ? { kind: 'longest', edge: scaled(resize.edge, 'width') }
        : { kind: 'fit', ...both(resize.edge, resize.edge) };
    default:
      return resize satisfies never;
  }
}
