import { IGNORED, type PictureSize, type RandomStream, type Sides, sidesOf } from '@winnow/core';
import { brightness, contrast, saturation } from '../augmentation/colour';
import { CHANNELS, type Picture } from '../picture/picture';
import type { Mask } from './index-png';

/** A picture, and what its pixels show: of one size. */
export interface MaskedPicture {
  readonly picture: Picture;
  readonly mask: Mask;
}

/** A crop of a picture; pixels beyond the picture are black and do not count. */
export interface Crop extends MaskedPicture {
  /** The part that shows the picture, from the upper left corner on. */
  readonly shown: Sides;
}

/** The picture is scaled so that it covers the crop, times one of these. */
const SCALES = [0.5, 2] as const;
/** Share of a crop that one class may have; one with more is drawn anew, so many times at most. */
const MOST_OF_ONE = 0.75;
const ATTEMPTS = 10;
const CHANCE = 0.5;
/** Brightness, contrast and saturation are each scaled by up to this more or less, with a chance of one half. */
const STRENGTHS = [
  [brightness, 0.125],
  [contrast, 0.5],
  [saturation, 0.5],
] as const;

/** A part of a picture: its corner, the pixels of the picture for one of the crop, and what the crop shows. */
interface Region extends Sides {
  readonly left: number;
  readonly top: number;
  readonly step: number;
}

/**
 * Segmenter's variation of training pictures (rstrudel/segmenter, `data/config`): scaled, cropped at random so that no class takes more
 * than three quarters, mirrored or not, its colours changed; no hue is turned. All randomness comes from `random`.
 */
export function randomCrop(
  { picture, mask }: MaskedPicture,
  imageSize: PictureSize,
  random: RandomStream,
): Crop {
  const size = sidesOf(imageSize);
  const scale = SCALES[0] + (SCALES[1] - SCALES[0]) * random.uniform();
  const step = Math.min(picture.width / size.width, picture.height / size.height) / scale;
  const shown = {
    width: Math.min(size.width, Math.round(picture.width / step)),
    height: Math.min(size.height, Math.round(picture.height / step)),
  };
  let region: Region = { left: 0, top: 0, step, ...shown };
  let labels = new Uint8Array();
  const isMirrored = random.uniform() < CHANCE;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    region = {
      ...region,
      left: random.uniform() * Math.max(0, picture.width - shown.width * step),
      top: random.uniform() * Math.max(0, picture.height - shown.height * step),
    };
    labels = labelsIn(mask, region, size, isMirrored);
    if (mostOfOne(labels) <= MOST_OF_ONE) break;
  }
  const pixels = pixelsIn(picture, region, size, isMirrored);
  for (const [change, strength] of STRENGTHS) {
    const factor = 1 + strength * (2 * random.uniform() - 1);
    if (random.uniform() < CHANCE) change(pixels, factor);
  }
  return { picture: { ...size, pixels }, mask: { ...size, labels }, shown };
}

const columnIn = (x: number, { width }: Region, isMirrored: boolean): number =>
  isMirrored ? width - 1 - x : x;

function labelsIn(mask: Mask, region: Region, size: Sides, isMirrored: boolean): Uint8Array<ArrayBuffer> {
  const labels = new Uint8Array(size.width * size.height).fill(IGNORED);
  for (let y = 0; y < region.height; y++) {
    const row = Math.min(mask.height - 1, Math.floor(region.top + (y + 0.5) * region.step)) * mask.width;
    for (let x = 0; x < region.width; x++) {
      const place = region.left + (columnIn(x, region, isMirrored) + 0.5) * region.step;
      labels[y * size.width + x] = mask.labels[row + Math.min(mask.width - 1, Math.floor(place))] ?? IGNORED;
    }
  }
  return labels;
}

function pixelsIn(picture: Picture, region: Region, size: Sides, isMirrored: boolean): Uint8Array {
  const pixels = new Uint8Array(size.width * size.height * CHANNELS);
  const { width, height, pixels: from } = picture;
  for (let y = 0; y < region.height; y++) {
    const v = near(region.top + (y + 0.5) * region.step, height);
    for (let x = 0; x < region.width; x++) {
      const u = near(region.left + (columnIn(x, region, isMirrored) + 0.5) * region.step, width);
      for (let channel = 0; channel < CHANNELS; channel++) {
        const at = (row: number, column: number) => from[(row * width + column) * CHANNELS + channel] ?? 0;
        const above = at(v.first, u.first) * (1 - u.share) + at(v.first, u.second) * u.share;
        const below = at(v.second, u.first) * (1 - u.share) + at(v.second, u.second) * u.share;
        pixels[(y * size.width + x) * CHANNELS + channel] = Math.round(
          above * (1 - v.share) + below * v.share,
        );
      }
    }
  }
  return pixels;
}

/** The two pixels that a place lies between, and the share of the second. */
function near(
  place: number,
  length: number,
): { readonly first: number; readonly second: number; readonly share: number } {
  const index = Math.min(length - 1, Math.max(0, place - 0.5));
  const first = Math.floor(index);
  return { first, second: Math.min(length - 1, first + 1), share: index - first };
}

/** The share of the most frequent class among pixels that count; 1 where none does. */
function mostOfOne(labels: Uint8Array): number {
  const counts = new Map<number, number>();
  let all = 0;
  for (const label of labels) {
    if (label === IGNORED) continue;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    all++;
  }
  return all === 0 ? 1 : Math.max(...counts.values()) / all;
}
