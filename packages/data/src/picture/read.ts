import sharp from 'sharp';
import { DataError } from '../failure/data-error';
import { CHANNELS, type Picture } from './picture';

/** What decodes: another version may give other pixels. */
export const decoder: string = JSON.stringify(sharp.versions);

export interface ReadOptions {
  /** Length of the shorter side after resizing, in pixels; the aspect ratio is kept. */
  readonly shorterSide: number;
  /** Whether a smaller picture is enlarged; otherwise it keeps its size. */
  readonly enlarge: boolean;
}

/**
 * Decodes and resizes one picture off the main thread. The result stands upright (EXIF orientation applied), in sRGB;
 * grey and CMYK are converted, transparency lies on white, and of an animation the first frame is taken.
 * @throws {DataError} naming the file when it cannot be decoded completely.
 */
export async function readPicture(path: string, { shorterSide, enlarge }: ReadOptions): Promise<Picture> {
  try {
    // 'warning' is the strictest level: a truncated JPEG is an error, not a picture with a grey lower half.
    const { data, info } = await sharp(path, { failOn: 'warning' })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .resize(shorterSide, shorterSide, { fit: 'outside', kernel: 'cubic', withoutEnlargement: !enlarge })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== CHANNELS)
      throw new Error(`${info.channels} colour channels after conversion to sRGB`);
    return { width: info.width, height: info.height, pixels: data };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      {
        expected: `a complete picture in ${path}`,
        found: `a file that cannot be decoded (${reason.trim()})`,
        advice: 'Replace the file, save it anew, or remove it.',
      },
      { cause },
    );
  }
}
