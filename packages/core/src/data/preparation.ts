/** How values between pixels are found; all but `nearest` average over as many pixels as a reduction asks for, as Pillow does. */
export const interpolations = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type Interpolation = (typeof interpolations)[number];

/** A number for each of red, green and blue. */
export type PerChannel = readonly [number, number, number];

/**
 * How a picture is brought to a size, in pixels:
 * - `kept`: it stays as large as it is.
 * - `squash`: both sides are scaled to given lengths.
 * - `shortest`: the shorter side is scaled to `edge`, the longer one along with it; where it would be longer than `longest`, that
 *   is its length instead.
 * - `longest`: it is scaled so that it just fits into a square of `edge`.
 */
export type PictureResize =
  | { readonly kind: 'kept' }
  | { readonly kind: 'squash'; readonly height: number; readonly width: number }
  | { readonly kind: 'shortest'; readonly edge: number; readonly longest?: number }
  | { readonly kind: 'longest'; readonly edge: number };

/** How a picture of any shape becomes a square of the model's size, whose middle it keeps. */
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

/** How the pictures of a model become its input. */
export interface PicturePreparation {
  /** Normalised values are (level · scale − mean) / deviation, for levels of 0 … 255. */
  readonly mean: PerChannel;
  readonly std: PerChannel;
  /** 1/255 where nothing is said. */
  readonly scale?: number;
  /** Without it, pictures come to their size as the data have it. */
  readonly geometry?: PictureGeometry;
  /**
   * Without a geometry: the share of a picture's shorter side that evaluation shows. It is scaled to S / share, and the middle
   * S×S is cut out. All of it where nothing is said.
   */
  readonly shownShare?: number;
  /** The class of Hugging Face's library that prepares them so, where it is known. */
  readonly processor?: string;
}

/**
 * The same preparation for squares of another size: all lengths in proportion, rounded.
 * @param from,to Sides of the squares, in pixels.
 */
export function resizedGeometry(geometry: PictureGeometry, from: number, to: number): PictureGeometry {
  if (from === to) return geometry;
  const scaled = (length: number): number => Math.max(1, Math.round((length * to) / from));
  return { ...geometry, resize: resizedBy(geometry.resize, scaled) };
}

function resizedBy(resize: PictureResize, scaled: (length: number) => number): PictureResize {
  switch (resize.kind) {
    case 'kept':
      return resize;
    case 'squash':
      return { kind: 'squash', height: scaled(resize.height), width: scaled(resize.width) };
    case 'shortest':
      return {
        kind: 'shortest',
        edge: scaled(resize.edge),
        ...(resize.longest === undefined ? {} : { longest: scaled(resize.longest) }),
      };
    case 'longest':
      return { kind: 'longest', edge: scaled(resize.edge) };
    default:
      return resize satisfies never;
  }
}
