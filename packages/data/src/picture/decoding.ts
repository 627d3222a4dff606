import { type PictureGeometry, type PictureSize, sidesOf } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { framed } from './geometry';
import { type Picture, middleOf } from './picture';
import type { PictureReader } from './read';

/** The preparation of a picture's file, as plain data: the same wherever it is done. */
export type Decoding =
  /** Scaled to cover a size, of which if asked the middle of another is cut out; in pixels. */
  | {
      readonly kind: 'scaled';
      readonly covers: PictureSize;
      readonly enlarge: boolean;
      readonly middle?: PictureSize;
    }
  /** Decoded at its own size and brought to H×W, level for level as a geometry says. */
  | {
      readonly kind: 'framed';
      readonly geometry: PictureGeometry;
      readonly imageSize: PictureSize;
      /** Sides that it had when somebody said what is where in it. */
      readonly annotated?: Sides | undefined;
    };

/** In pixels. */
export interface Sides {
  readonly width: number;
  readonly height: number;
}

/** @throws {DataError} as the reader does, and for a picture of other proportions than were annotated. */
export async function decodedAs(reader: PictureReader, path: string, decoding: Decoding): Promise<Picture> {
  switch (decoding.kind) {
    case 'scaled': {
      const picture = await reader.read(path, decoding);
      return decoding.middle === undefined ? picture : middleOf(picture, sidesOf(decoding.middle));
    }
    case 'framed':
      return reader.readWhole(path, (whole) => {
        refuseOther(whole, decoding.annotated, path);
        return framed(whole, decoding.geometry, decoding.imageSize);
      });
    default:
      return decoding satisfies never;
  }
}

/** A picture that was made smaller as a whole has the same places; one of other proportions, or turned, has not. */
function refuseOther(whole: Sides, annotated: Sides | undefined, path: string): void {
  if (annotated === undefined || isScaled(whole, annotated)) return;
  const isTurned = isScaled({ width: whole.height, height: whole.width }, annotated);
  throw new DataError({
    expected: `a picture of ${annotated.width}×${annotated.height} pixels, as it was annotated, or of these proportions in ${path}`,
    found: `${whole.width}×${whole.height}${isTurned ? ', as it stands upright' : ''}`,
    advice: isTurned
      ? 'Save the picture as it was annotated, without an orientation in its EXIF, or turn the boxes.'
      : 'Put the picture there that was annotated, or mend its width and height in the annotations.',
  });
}

/** Whether sides are those of a picture that was scaled, to within the rounding of a pixel. */
const isScaled = (sides: Sides, { width, height }: Sides): boolean =>
  Math.abs(sides.width - (width * sides.height) / height) <= 1 ||
  Math.abs(sides.height - (height * sides.width) / width) <= 1;
