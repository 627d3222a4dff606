import type { RandomStream, Sides } from '@winnow/core';
import {
  autocontrast,
  brightness,
  contrast,
  equalize,
  posterize,
  saturation,
  sharpness,
  solarize,
} from './colour';
import { type Affine, IDENTITY, rotation } from './placement';

/** One operation of RandAugment: a distortion of the sampling grid, or a change of the pixels after it. */
export type Operation =
  | { readonly kind: 'distort'; readonly distortion: Affine }
  | { readonly kind: 'recolour'; readonly apply: (pixels: Uint8Array, size: Sides) => void };

const operationNames = [
  'rotate',
  'shear-x',
  'shear-y',
  'translate-x',
  'translate-y',
  'brightness',
  'contrast',
  'saturation',
  'sharpness',
  'posterize',
  'solarize',
  'autocontrast',
  'equalize',
] as const;
type OperationName = (typeof operationNames)[number];

/** The strength of each operation at magnitude 10. */
const STRONGEST = {
  rotationDegrees: 30,
  shear: 0.3,
  /** Share of the picture's side. */
  translation: 0.3,
  /** Factors lie in 1 ± this. */
  enhancement: 0.9,
  bitsLost: 4,
  levelsSolarized: 256,
} as const;

const MAGNITUDE_DEVIATION = 0.5;

const distort = (distortion: Partial<Affine>): Operation => ({
  kind: 'distort',
  distortion: { ...IDENTITY, ...distortion },
});
const recolour = (apply: (pixels: Uint8Array, size: Sides) => void): Operation => ({
  kind: 'recolour',
  apply,
});

/** `strength` in [0, 1]; `sign` is the side to which a two-sided operation goes. */
function operation(name: OperationName, strength: number, sign: 1 | -1): Operation {
  const signed = strength * sign;
  const factor = 1 + signed * STRONGEST.enhancement;
  switch (name) {
    case 'rotate':
      return distort(rotation(signed * STRONGEST.rotationDegrees));
    case 'shear-x':
      return distort({ xy: signed * STRONGEST.shear });
    case 'shear-y':
      return distort({ yx: signed * STRONGEST.shear });
    case 'translate-x':
      return distort({ x0: signed * STRONGEST.translation });
    case 'translate-y':
      return distort({ y0: signed * STRONGEST.translation });
    case 'brightness':
      return recolour((pixels) => brightness(pixels, factor));
    case 'contrast':
      return recolour((pixels) => contrast(pixels, factor));
    case 'saturation':
      return recolour((pixels) => saturation(pixels, factor));
    case 'sharpness':
      return recolour((pixels, size) => sharpness(pixels, size, factor));
    case 'posterize':
      return recolour((pixels) => posterize(pixels, 8 - Math.round(strength * STRONGEST.bitsLost)));
    case 'solarize':
      return recolour((pixels) => solarize(pixels, 256 - Math.round(strength * STRONGEST.levelsSolarized)));
    case 'autocontrast':
      return recolour(autocontrast);
    case 'equalize':
      return recolour(equalize);
    default:
      return name satisfies never;
  }
}

/**
 * RandAugment: of `count` operations drawn with replacement, those that a coin lets run. Strengths scatter around
 * `magnitude` (0 … 10).
 */
export function randomOperations(count: number, magnitude: number, random: RandomStream): Operation[] {
  const drawn: Operation[] = [];
  for (let draw = 0; draw < count; draw++) {
    const name = operationNames[random.integer(operationNames.length)] ?? 'rotate';
    const scattered = magnitude + MAGNITUDE_DEVIATION * random.normal();
    const strength = Math.min(Math.max(scattered, 0), 10) / 10;
    const sign = random.uniform() < 0.5 ? 1 : -1;
    if (random.uniform() < 0.5) drawn.push(operation(name, strength, sign));
  }
  return drawn;
}
