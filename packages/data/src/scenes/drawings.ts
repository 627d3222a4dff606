import pLimit from 'p-limit';
import sharp from 'sharp';
import { type EmojiVendor, emojiRecords } from '../emoji/records';
import { DataError } from '../failure/data-error';
import { CHANNELS, type Picture } from '../picture/picture';
import { resample } from '../picture/resample';
import { type Rgb, sceneColours, sceneConcepts } from './concepts';

/** A drawing of n×n pixels, ready to be painted. */
export interface Sprite {
  /** n, in pixels. */
  readonly side: number;
  /** Colours times alpha, [n, n, 3]. */
  readonly colours: Uint8Array;
  /** 0 to 255, [n, n]; what is half or more counts as the object. */
  readonly alpha: Uint8Array;
  /** Pixels that count as the object. */
  readonly area: number;
  /** The mean over these pixels. */
  readonly meanColour: Rgb;
}

/** From here on a pixel counts as the object. */
export const OPAQUE = 128;

/** The drawings of one vendor, scaled and coloured when they are first asked for. */
export interface SceneDrawings {
  readonly vendor: EmojiVendor;
  /** @param colour Index of a colour, for a recolourable concept. */
  sprite(concept: number, side: number, colour: number | undefined): Sprite;
}

const DRAWINGS_AT_A_TIME = 16;

/** A drawing as its file has it: colours times alpha, and alpha in three equal channels. */
interface Source {
  readonly colours: Picture;
  readonly alpha: Picture;
}

async function sourceOf(path: string): Promise<Source> {
  const { data, info } = await sharp(path)
    .ensureAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const colours = new Uint8Array(width * height * CHANNELS);
  const alpha = new Uint8Array(width * height * CHANNELS);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const opacity = data[pixel * 4 + 3] ?? 0;
    for (let channel = 0; channel < CHANNELS; channel++) {
      const level = data[pixel * 4 + channel] ?? 0;
      colours[pixel * CHANNELS + channel] = Math.round((level * opacity) / 255);
      alpha[pixel * CHANNELS + channel] = opacity;
    }
  }
  return { colours: { width, height, pixels: colours }, alpha: { width, height, pixels: alpha } };
}

const scaled = (picture: Picture, side: number): Uint8Array =>
  resample(
    picture,
    { width: side, height: side },
    { interpolation: 'bilinear', arithmetic: 'pillow' },
    { left: 0, top: 0, width: side, height: side },
  ).pixels;

/** The share of its colour that the darkest part of a recoloured drawing has; the lightest has all. */
const DARKEST = 0.8;

/** In place of each colour the given one, as light as the drawing is there. */
function tinted(colours: Uint8Array, alpha: Uint8Array, colour: Rgb): void {
  for (let pixel = 0; pixel < alpha.length; pixel++) {
    const opacity = alpha[pixel] ?? 0;
    if (opacity === 0) continue;
    const at = pixel * CHANNELS;
    const sum = (colours[at] ?? 0) + (colours[at + 1] ?? 0) + (colours[at + 2] ?? 0);
    const lightness = Math.min(1, sum / (CHANNELS * opacity));
    const shade = ((DARKEST + (1 - DARKEST) * lightness) * opacity) / 255;
    for (const [channel, level] of colour.entries()) colours[at + channel] = Math.round(level * shade);
  }
}

function spriteOf({ colours: from, alpha: opacity }: Source, side: number, tint: Rgb | undefined): Sprite {
  const colours = Uint8Array.from(scaled(from, side));
  const alpha = scaled(opacity, side).filter((_, index) => index % CHANNELS === 0);
  if (tint !== undefined) tinted(colours, alpha, tint);
  let area = 0;
  const sums = [0, 0, 0];
  for (let pixel = 0; pixel < alpha.length; pixel++) {
    if ((alpha[pixel] ?? 0) < OPAQUE) continue;
    area++;
    for (let channel = 0; channel < CHANNELS; channel++) {
      sums[channel] = (sums[channel] ?? 0) + (colours[pixel * CHANNELS + channel] ?? 0);
    }
  }
  const [red = 0, green = 0, blue = 0] = sums.map((sum) => sum / Math.max(1, area));
  return { side, colours, alpha, area, meanColour: [red, green, blue] };
}

/**
 * Reads a vendor's drawings of all concepts, 64×64 pixels each; they are scaled by Pillow's bilinear filter in integer arithmetic.
 * @throws {DataError} when the package with the drawings is missing, or lacks one of them.
 */
export async function sceneDrawings(vendor: EmojiVendor): Promise<SceneDrawings> {
  const records = new Map((await emojiRecords()).map((record) => [record.codePoints, record]));
  const limit = pLimit(DRAWINGS_AT_A_TIME);
  const sources = await Promise.all(
    sceneConcepts.map(({ name, codePoints }) => {
      const record = records.get(codePoints);
      if (record === undefined) {
        throw new DataError({
          expected: `a drawing of the ${name} (${codePoints}) by ${vendor}`,
          found: 'none',
          advice: 'Install the versions of the emoji-datasource packages that package.json names.',
        });
      }
      return limit(() => sourceOf(record.drawings[vendor]));
    }),
  );
  const sprites = new Map<string, Sprite>();
  return {
    vendor,
    sprite: (concept, side, colour) => {
      const key = `${concept}/${side}/${colour ?? ''}`;
      const known = sprites.get(key);
      if (known !== undefined) return known;
      const source = sources[concept];
      if (source === undefined)
        throw new RangeError(`expected a concept below ${sources.length}, got ${concept}`);
      const tint = colour === undefined ? undefined : sceneColours[colour]?.rgb;
      const sprite = spriteOf(source, side, tint);
      sprites.set(key, sprite);
      return sprite;
    },
  };
}
