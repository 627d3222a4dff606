import type { Metadata, Sharp } from 'sharp';
import { DataError } from '../failure/data-error';

/**
 * Sample formats and colour spaces, as libvips calls them, whose range is known, so that they are converted to 8 bits as
 * people see them. Of all others (32-bit, signed or floating point samples, more than four bands) libvips keeps the lowest bits
 * or cuts values off.
 */
const convertible: ReadonlySet<string> = new Set([
  ...['uchar b-w', 'uchar srgb', 'uchar cmyk'],
  ...['ushort grey16', 'ushort rgb16', 'ushort cmyk'],
  ...['float lab', 'short labs'],
]);

/**
 * Highest sample, of 65535, that cameras and instruments with 12 bits give. Nothing would be brighter than 15 of 255.
 */
const TWELVE_BITS = 4095;

/**
 * Refuses samples that would not be what they look like elsewhere.
 * @throws {DataError} naming the file and its samples.
 */
export async function refuseSamples(image: Sharp, header: Metadata, path: string): Promise<void> {
  const { depth, space, channels } = header;
  if (!convertible.has(`${depth} ${space}`)) {
    throw new DataError({
      expected: `8 or 16 bits per colour, unsigned, in grey, RGB or CMYK in ${path}`,
      found: `${channels} ${channels === 1 ? 'channel' : 'channels'} of the type ${depth} (${space})`,
      advice: 'Scale it to 8 bits, which decides what is black and what is white, and save it as PNG.',
    });
  }
  if (depth !== 'ushort') return;
  const colours = (await image.clone().stats()).channels.slice(0, header.hasAlpha ? channels - 1 : channels);
  const highest = Math.max(0, ...colours.map(({ max }) => max));
  if (highest === 0 || highest > TWELVE_BITS) return;
  throw new DataError({
    expected: `16 bits per colour in ${path}`,
    found: `no value above ${highest} of 65535, so that hardly anything would be seen`,
    advice: 'Scale it to the whole range, or to 8 bits.',
  });
}
