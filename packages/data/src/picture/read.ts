import { type PictureSize, sidesOf } from '@winnow/core';
import pLimit from 'p-limit';
import sharp, { type Metadata, type Region, type Sharp } from 'sharp';
import { DataError } from '../failure/data-error';
import { pictureFile, readRegularFile } from '../file/regular-file';
import { HEAD_BYTES, formatOf } from './format';
import { CHANNELS, type Picture } from './picture';
import { refuseSamples } from './samples';

/**
 * Times the shorter side. Of a picture that is longer, the middle is taken before it is resized: the whole of one of 1×60000
 * pixels would be 224×13440000 afterwards.
 */
const LONGEST_SIDES = 32;
/** The versions and limits of the decoder: another version may give other pixels. */
export const decoder: string = JSON.stringify([sharp.versions, LONGEST_SIDES]);

/**
 * Most bytes of a decoded picture, in RGB a square of 18,900 pixels a side: some formats are decoded whole before they
 * are reduced.
 */
const MOST_DECODED_BYTES = 2 ** 30;
/** Files open, and their contents in memory, at a time. */
const READ_AT_A_TIME = 16;
/** The number of pictures at a time that are decoded at their own size. */
const WHOLE_AT_A_TIME = 4;
/** Larger pictures are decoded one at a time. */
const LARGE_PIXELS = 2 ** 24;
const LONGEST_REASON = 200;

/** Names the versions that decode pictures, in words: they decide as much of a picture's pixels as the file does. */
export const decoderVersions = (): string =>
  `${sharp.versions.vips}, by sharp ${sharp.versions.sharp ?? 'unknown'}`;

export interface ReadOptions {
  /** The resized picture just covers this, in pixels; the aspect ratio is kept. */
  readonly covers: PictureSize;
  /** Whether a smaller picture is enlarged; otherwise it keeps its size. */
  readonly enlarge: boolean;
}

/** Where the files of pictures come from: folders, or archives. */
export interface PictureFiles {
  /** @throws {DataError} when it is not there, or is no ordinary file of a size that a picture may have. */
  read(path: string): Promise<Buffer>;
}

/** Files as they lie on the disk. */
const filesOnDisk: PictureFiles = { read: (path) => readRegularFile(path, pictureFile) };

/** Decodes picture files, few at a time, however many are asked for. */
export interface PictureReader {
  /**
   * Decodes and resizes one picture off the main thread. The result stands upright (EXIF orientation applied), in sRGB;
   * grey, CMYK and 16 bit are converted, transparency lies on white, and of an animation the first frame is taken. What
   * the file is called does not matter.
   * @throws {DataError} naming the file when it is not there, is no ordinary file, is no JPEG, PNG, WebP, GIF, TIFF or
   *   AVIF, has samples whose range it does not say, is too large, or cannot be decoded completely.
   */
  read(path: string, options: ReadOptions): Promise<Picture>;
  /**
   * Decodes one picture at its own size, in the same way but for its colour profile, which is passed over as Pillow passes over
   * it, and makes of it what is wanted: few of these large pictures are in memory at a time.
   * @throws {DataError} as `read` does.
   */
  readWhole(path: string, use: (whole: Picture) => Picture): Promise<Picture>;
}

/** A picture of more than 2²⁴ pixels, for somebody who decodes one of them at a time. */
export class LargePictureError extends Error {
  override readonly name = 'LargePictureError';
}

/**
 * @param largePictures What becomes of pictures of more than 2²⁴ pixels: they are decoded one by one, or a {@link LargePictureError}.
 */
export function pictureReader(
  files = filesOnDisk,
  largePictures: 'one by one' | 'refused' = 'one by one',
): PictureReader {
  const open = pLimit(READ_AT_A_TIME);
  const one = pLimit(1);
  const large = <Result>(decode: () => Promise<Result>): Promise<Result> => {
    if (largePictures === 'refused') throw new LargePictureError('a large picture');
    return one(decode);
  };
  const whole = pLimit(WHOLE_AT_A_TIME);
  return {
    read: (path, options) =>
      open(() =>
        readPicture(path, { files, large, ignoreIcc: false }, (upright, header) =>
          decoded(upright, header, options),
        ),
      ),
    readWhole: (path, use) =>
      whole(() =>
        readPicture(path, { files, large, ignoreIcc: true }, async (upright) => use(await pixelsOf(upright))),
      ),
  };
}

interface Reading {
  readonly files: PictureFiles;
  /** One at a time, for large pictures. */
  readonly large: (decode: () => Promise<Picture>) => Promise<Picture>;
  readonly ignoreIcc: boolean;
}

/** Names of the formats in sharp: it must see in a file what its first bytes say. */
const sharpFormats: Readonly<Record<string, string>> = {
  JPEG: 'jpeg',
  PNG: 'png',
  WebP: 'webp',
  GIF: 'gif',
  TIFF: 'tiff',
  AVIF: 'heif',
};

async function readPicture(
  path: string,
  { files, large, ignoreIcc }: Reading,
  use: (upright: Sharp, header: Metadata) => Promise<Picture>,
): Promise<Picture> {
  const content = await files.read(path);
  const format = formatOf(content);
  if (format?.isRead !== true) throw noPicture(path, content, format?.name);
  try {
    // 'warning' is the strictest level: a truncated JPEG is an error, not a picture with a grey lower half.
    const image = sharp(content, { failOn: 'warning', limitInputPixels: false, ignoreIcc });
    const header = await image.metadata();
    if (header.format !== sharpFormats[format.name]) throw noPicture(path, content, header.format);
    refuseHuge(header, path);
    await refuseSamples(image, header, path);
    const decode = () => use(image.autoOrient(), header);
    return header.width * header.height > LARGE_PIXELS ? await large(decode) : await decode();
  } catch (cause) {
    if (cause instanceof DataError || cause instanceof LargePictureError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      {
        expected: `a complete picture in ${path}`,
        found: `a file that cannot be decoded (${reason.trim().replace(/\s+/g, ' ').slice(0, LONGEST_REASON)})`,
        advice: 'Replace the file, save it anew, or remove it.',
      },
      { cause },
    );
  }
}

async function decoded(upright: Sharp, header: Metadata, { covers, enlarge }: ReadOptions): Promise<Picture> {
  const middle = middleOf(header.autoOrient);
  const { height, width } = sidesOf(covers);
  const resized = (middle === undefined ? upright : upright.extract(middle)).resize(width, height, {
    fit: 'outside',
    kernel: 'cubic',
    withoutEnlargement: !enlarge,
  });
  return pixelsOf(resized);
}

/** Decodes a picture, in 8-bit sRGB on white. */
async function pixelsOf(image: Sharp): Promise<Picture> {
  const { data, info } = await image
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== CHANNELS)
    throw new Error(`${info.channels} colour channels after conversion to sRGB`);
  return { width: info.width, height: info.height, pixels: data };
}

/** @throws {DataError} before anything is decoded. */
function refuseHuge({ width, height, channels, depth }: Metadata, path: string): void {
  const bytes = width * height * channels * (depth === 'uchar' ? 1 : 2);
  if (bytes <= MOST_DECODED_BYTES) return;
  throw new DataError({
    expected: `a picture that takes at most ${MOST_DECODED_BYTES / 2 ** 20} MiB when it is decoded in ${path}`,
    found: `${width}×${height} pixels, which take ${Math.ceil(bytes / 2 ** 20)} MiB`,
    advice: 'Make it smaller, or remove it.',
  });
}

/** The middle of an extremely long or tall picture; undefined for others. */
function middleOf({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): Region | undefined {
  const [wide, high] = [Math.min(width, LONGEST_SIDES * height), Math.min(height, LONGEST_SIDES * width)];
  if (wide === width && high === height) return undefined;
  return { left: (width - wide) >> 1, top: (height - high) >> 1, width: wide, height: high };
}

function noPicture(path: string, content: Buffer, format: string | undefined): DataError {
  const start = JSON.stringify(content.toString('latin1', 0, Math.min(16, HEAD_BYTES)));
  return new DataError({
    expected: `a JPEG, PNG, WebP, GIF, TIFF or AVIF picture in ${path}`,
    found:
      content.byteLength === 0
        ? 'an empty file'
        : format === undefined
          ? `a file that is none (it begins with ${start})`
          : `a picture in the format ${format}, whatever its name says`,
    advice: 'Convert it, for example to PNG, or remove it.',
  });
}
