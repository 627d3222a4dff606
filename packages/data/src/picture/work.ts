import { type Decoding, decodedAs } from './decoding';
import { type DecodedExample, type Filling, filled } from './fill';
import type { Picture } from './picture';
import { type PictureFiles, pictureReader } from './read';

/** The two things that cost time with pictures, wherever they are done: on this thread, or on others. */
export interface PictureWork {
  /** @throws {DataError} naming the file when it cannot be decoded. */
  decode(path: string, decoding: Decoding): Promise<Picture>;
  /** Normalised pixels, [B, H, W, C]. */
  fill(pictures: readonly DecodedExample[], filling: Filling): Promise<Float32Array>;
}

/** On this thread, but for what libvips does on its own. */
export function workHere(files?: PictureFiles): PictureWork {
  const reader = pictureReader(files);
  return {
    decode: (path, decoding) => decodedAs(reader, path, decoding),
    fill: (pictures, filling) => Promise.resolve(filled(pictures, filling)),
  };
}
