import { type PictureSize, type RandomStream, type Sides, sidesOf } from '@winnow/core';
import { CHANNELS, type Picture } from '../picture/picture';
import { brightness, contrast, saturation } from './colour';
import { randomOperations } from './operations';
import {
  type Affine,
  IDENTITY,
  compose,
  onSides,
  placement,
  randomRegion,
  rotation,
  warp,
} from './placement';
import type { AugmentationPolicy } from './policy';

/** Smallest and largest share of the area, and ratio of the sides, of an erased rectangle. */
const ERASED_AREA = [0.02, 0.25] as const;
const ERASED_RATIO = [0.3, 1 / 0.3] as const;

const MIRROR: Affine = { ...IDENTITY, xx: -1 };

/** Paints one random rectangle in one random colour. */
function erase(pixels: Uint8Array, size: Sides, random: RandomStream): void {
  const region = randomRegion(size, ERASED_AREA, ERASED_RATIO, random);
  const colour = [random.integer(256), random.integer(256), random.integer(256)];
  const left = Math.floor(region.left);
  const strip = new Uint8Array((Math.ceil(region.left + region.width) - left) * CHANNELS);
  for (let i = 0; i < strip.length; i++) strip[i] = colour[i % CHANNELS] ?? 0;
  for (let row = Math.floor(region.top); row < Math.ceil(region.top + region.height); row++) {
    pixels.set(strip, (row * size.width + left) * CHANNELS);
  }
}

/**
 * Fills `out` ([H, W, 3]) with a random variation of the picture. All randomness comes from `random`.
 * Shares and ratios of the crop do not depend on the size (as torchvision's `RandomResizedCrop`); turns and shears are those of
 * the picture that comes out.
 * It runs on the calling thread: tens of microseconds for 32×32, milliseconds for 224×224 (docs/decisions/0003).
 */
export function augment(
  picture: Picture,
  policy: AugmentationPolicy,
  random: RandomStream,
  imageSize: PictureSize,
  out: Uint8Array,
): void {
  const size = sidesOf(imageSize);
  const spread = () => 2 * random.uniform() - 1;
  const region = randomRegion(picture, policy.cropArea, policy.cropRatio, random);
  let distortion = random.uniform() < policy.flipProbability ? MIRROR : IDENTITY;
  if (policy.rotationDegrees > 0) {
    distortion = compose(onSides(rotation(policy.rotationDegrees * spread()), size), distortion);
  }
  const operations = randomOperations(
    policy.randomOperations.count,
    policy.randomOperations.magnitude,
    random,
  );
  for (const operation of operations) {
    if (operation.kind === 'distort') distortion = compose(onSides(operation.distortion, size), distortion);
  }
  warp(picture, placement(region, distortion, size), size, out);
  if (policy.colourJitter > 0) {
    for (const enhance of [brightness, contrast, saturation])
      enhance(out, 1 + policy.colourJitter * spread());
  }
  for (const operation of operations) {
    if (operation.kind === 'recolour') operation.apply(out, size);
  }
  if (random.uniform() < policy.eraseProbability) erase(out, size, random);
}
