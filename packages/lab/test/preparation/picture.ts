import { join } from 'node:path';
import { writePicture } from '@winnow/testkit';

/** Pictures of `references.py`: width, height and channels. */
const pictures = {
  wide: { width: 200, height: 100, channels: 3 },
  high: { width: 100, height: 200, channels: 3 },
  odd: { width: 33, height: 77, channels: 3 },
  grey: { width: 61, height: 60, channels: 1 },
  small: { width: 16, height: 12, channels: 3 },
} as const;
export const pictureNames = ['wide', 'high', 'odd', 'grey', 'small'] as const;

/** Half a gradient, half noise; `references.py` makes the same. */
function levelAt(x: number, y: number, channel: number, width: number): number {
  const mixed = Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(channel, 83492791);
  const noise = (Math.imul(mixed ^ (mixed >>> 13), 1274126177) >>> 16) & 255;
  return (Math.floor((255 * x) / (width - 1)) + noise) >> 1;
}

/** Writes the pictures into a folder, in the order of their names. @returns their paths. */
export const writePictures = (folder: string): Promise<string[]> =>
  Promise.all(
    pictureNames.map(async (name) => {
      const { width, height, channels } = pictures[name];
      const levels = Uint8Array.from({ length: width * height * channels }, (_, at) => {
        const pixel = Math.floor(at / channels);
        return levelAt(pixel % width, Math.floor(pixel / width), at % channels, width);
      });
      const path = join(folder, `${name}.png`);
      await writePicture(path, { width, height, channels, levels });
      return path;
    }),
  );
