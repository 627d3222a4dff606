import { type PictureGeometry, type PictureSize, sidesOf } from '@winnow/core';
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
  | { readonly kind: 'framed'; readonly geometry: PictureGeometry; readonly imageSize: PictureSize };

/** @throws {DataError} as the reader does. */
export async function decodedAs(reader: PictureReader, path: string, decoding: Decoding): Promise<Picture> {
  switch (decoding.kind) {
    case 'scaled': {
      const picture = await reader.read(path, decoding);
      return decoding.middle === undefined ? picture : middleOf(picture, sidesOf(decoding.middle));
    }
    case 'framed':
      return reader.readWhole(path, (whole) => framed(whole, decoding.geometry, decoding.imageSize));
    default:
      return decoding satisfies never;
  }
}
