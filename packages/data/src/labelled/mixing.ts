import {
  type BatchSource,
  type ImageBatch,
  type Labelled,
  type PictureSize,
  type RandomStream,
  type Sides,
  randomStream,
  sidesOf,
} from '@winnow/core';

export interface MixingOptions {
  /** α of mixup, from 0 (none) to 1. */
  readonly mixup: number;
  /** α of cutmix, from 0 (none) to 1. */
  readonly cutmix: number;
  readonly seed: number;
  /** H and W of the pictures, in pixels. */
  readonly imageSize: PictureSize;
}

type Mixable = ImageBatch & Labelled;

/**
 * Batches whose pictures are mixed with those of the batch in reverse order, and their labels with them, by one share
 * λ ~ Beta(α, α) for a batch: mixup (Zhang et al., 2018) adds pictures up, cutmix (Yun et al., 2019, Appendix A, Algorithm A1)
 * puts a rectangle of the other one in. With both, each batch takes one of them by a coin's throw. As timm's `Mixup` in its
 * mode `batch`, with its `switch_prob` of 0.5. All is a function of the seed and the step.
 */
export function mixedBatches(
  source: BatchSource<Mixable>,
  { mixup, cutmix, seed, imageSize }: MixingOptions,
): BatchSource<Mixable> {
  if (mixup === 0 && cutmix === 0) return source;
  return {
    ...source,
    at: async (step) => {
      const batch = await source.at(step);
      const random = randomStream(seed, 'mixing', step);
      const cuts = cutmix > 0 && (mixup === 0 || random.uniform() < 0.5);
      const share = symmetricBeta(cuts ? cutmix : mixup, random);
      return cuts ? withRectangles(batch, share, sidesOf(imageSize), random) : withSums(batch, share);
    },
  };
}

const pixelsOf = ({ images, size }: Mixable, example: number): Float32Array => {
  const pixels = images.length / size;
  return images.subarray(example * pixels, (example + 1) * pixels);
};

function withSums(batch: Mixable, share: number): Mixable {
  const images = new Float32Array(batch.images.length);
  for (let example = 0; example < batch.size; example++) {
    const own = pixelsOf(batch, example);
    const other = pixelsOf(batch, batch.size - 1 - example);
    const offset = example * own.length;
    for (let i = 0; i < own.length; i++)
      images[offset + i] = share * (own[i] ?? 0) + (1 - share) * (other[i] ?? 0);
  }
  return mixed(batch, images, share);
}

/** λ becomes the share of the picture that is left, as the rectangle ends at the picture's border. */
function withRectangles(batch: Mixable, share: number, size: Sides, random: RandomStream): Mixable {
  const { height, width } = size;
  const cut = (side: number) => Math.floor(side * Math.sqrt(1 - share));
  const [top, bottom] = span(height, cut(height), random);
  const [left, right] = span(width, cut(width), random);
  const images = batch.images.slice();
  const channels = batch.images.length / (batch.size * height * width);
  for (let example = 0; example < batch.size; example++) {
    const other = pixelsOf(batch, batch.size - 1 - example);
    const offset = example * other.length;
    for (let row = top; row < bottom; row++) {
      const begin = (row * width + left) * channels;
      images.set(other.subarray(begin, (row * width + right) * channels), offset + begin);
    }
  }
  const area = (bottom - top) * (right - left);
  return mixed(batch, images, 1 - area / (height * width));
}

/** Where a length begins and ends around a random middle, within 0 … side. */
function span(side: number, length: number, random: RandomStream): [first: number, last: number] {
  const middle = random.integer(side);
  const half = Math.floor(length / 2);
  return [Math.max(0, middle - half), Math.min(side, middle + half)];
}

const mixed = (batch: Mixable, images: Float32Array, share: number): Mixable => ({
  ...batch,
  images,
  mixed: { labels: batch.labels.slice().reverse(), share },
});

/** Beta(α, α) for α up to 1 (Jöhnk, 1964), in logarithms: for a small α both powers would be 0. */
function symmetricBeta(alpha: number, random: RandomStream): number {
  for (;;) {
    const x = Math.log(1 - random.uniform()) / alpha;
    const y = Math.log(1 - random.uniform()) / alpha;
    if (Math.exp(x) + Math.exp(y) <= 1) return 1 / (1 + Math.exp(y - x));
  }
}
