/** The variation of training pictures. All strengths are drawn anew for each picture and epoch. */
export interface AugmentationPolicy {
  /** Smallest and largest share of the picture's area that the crop keeps, in (0, 1]. */
  readonly cropArea: readonly [number, number];
  /** Smallest and largest ratio of width to height of the crop. */
  readonly cropRatio: readonly [number, number];
  /** Probability of a horizontal flip. */
  readonly flipProbability: number;
  /** Largest rotation to either side, in degrees. */
  readonly rotationDegrees: number;
  /** Brightness, contrast and saturation are each scaled by a factor in 1 ± this. */
  readonly colourJitter: number;
  /** RandAugment: each of `count` operations runs with probability ½ at a strength around `magnitude`, 0 … 10. */
  readonly randomOperations: { readonly count: number; readonly magnitude: number };
  /** Probability of painting over a rectangle. */
  readonly eraseProbability: number;
}

export const augmentationPresets = ['none', 'light', 'captions', 'symbols', 'standard'] as const;

/**
 * - `none`: training sees what evaluation sees.
 * - `light`: crops that keep 60 % or more, flips, weak colour jitter.
 * - `captions`: photographs with texts about them: crops that keep 70 % or more, so that what a text names stays in the
 *   picture, and weak colour jitter; no flips, which would make "left" of "right".
 * - `symbols`: for drawings, letters and signs, whose meaning a flip or a strong crop destroys.
 * - `standard`: photographs, trained from scratch or fine-tuned: strong crops, flips, RandAugment, erasing.
 */
export type AugmentationPreset = (typeof augmentationPresets)[number];

/** The policy of a preset; `none` has none. */
export function augmentationPolicy(preset: AugmentationPreset): AugmentationPolicy | undefined {
  switch (preset) {
    case 'none':
      return undefined;
    case 'light':
      return {
        cropArea: [0.6, 1],
        cropRatio: [3 / 4, 4 / 3],
        flipProbability: 0.5,
        rotationDegrees: 0,
        colourJitter: 0.1,
        randomOperations: { count: 0, magnitude: 0 },
        eraseProbability: 0,
      };
    case 'captions':
      return {
        cropArea: [0.7, 1],
        cropRatio: [3 / 4, 4 / 3],
        flipProbability: 0,
        rotationDegrees: 0,
        colourJitter: 0.1,
        randomOperations: { count: 0, magnitude: 0 },
        eraseProbability: 0,
      };
    case 'symbols':
      return {
        cropArea: [0.6, 1],
        cropRatio: [0.85, 1.18],
        flipProbability: 0,
        rotationDegrees: 12,
        colourJitter: 0.3,
        randomOperations: { count: 0, magnitude: 0 },
        eraseProbability: 0,
      };
    case 'standard':
      return {
        // ImageNet's customary 8 % starves small datasets of context.
        cropArea: [0.35, 1],
        cropRatio: [3 / 4, 4 / 3],
        flipProbability: 0.5,
        rotationDegrees: 0,
        colourJitter: 0,
        randomOperations: { count: 2, magnitude: 9 },
        eraseProbability: 0.25,
      };
    default:
      return preset satisfies never;
  }
}

/** @throws {RangeError} when a range is empty or a strength lies outside its bounds. */
export function checkPolicy(policy: AugmentationPolicy): void {
  const { cropArea, cropRatio, randomOperations } = policy;
  const within = (name: string, value: number, low: number, high: number) => {
    if (value >= low && value <= high) return;
    throw new RangeError(`expected ${name} between ${low} and ${high}, got ${value}`);
  };
  within('cropArea[0]', cropArea[0], Number.MIN_VALUE, cropArea[1]);
  within('cropArea[1]', cropArea[1], cropArea[0], 1);
  within('cropRatio[0]', cropRatio[0], 0.1, cropRatio[1]);
  within('cropRatio[1]', cropRatio[1], cropRatio[0], 10);
  within('flipProbability', policy.flipProbability, 0, 1);
  within('rotationDegrees', policy.rotationDegrees, 0, 180);
  within('colourJitter', policy.colourJitter, 0, 1);
  within('randomOperations.magnitude', randomOperations.magnitude, 0, 10);
  within('eraseProbability', policy.eraseProbability, 0, 1);
  if (!Number.isInteger(randomOperations.count) || randomOperations.count < 0) {
    throw new RangeError(`expected a whole number of randomOperations, got ${randomOperations.count}`);
  }
}
