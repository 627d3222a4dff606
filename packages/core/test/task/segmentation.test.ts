import {
  type Tensor2D,
  type Tensor4D,
  memory,
  reshape,
  slice,
  tensor2d,
  tidy,
  valueAndGrad,
} from '@tensorflow/tfjs-core';
import {
  IGNORED,
  type SegmentationBatch,
  confusionOf,
  evaluate,
  multiScale,
  segmentWhole,
  segmentation,
  segmentationScores,
  singleScale,
} from '../../src/index';
import { pixelCrossEntropy } from '../../src/task/segmentation';
import { windowStarts } from '../../src/task/segmentation-windows';
import { describeOnEveryEngine } from '../engine/every-engine';

describe('scores of segmentation', () => {
  test('two pictures of three classes, of which one is absent, with a pixel that does not count', () => {
    const confusion = confusionOf(Uint8Array.of(0, 0, 0, 2), [0, 0, 2, 2], 3);
    confusionOf(Uint8Array.of(0, 2, 2, IGNORED), [2, 2, 2, 1], 3, confusion);
    // Class 0: 2 right, 4 in truth, 2 predicted. Class 2: 3 right, 3 in truth, 5 predicted. Class 1 occurs nowhere.
    const { meanIoU, pixelAccuracy, meanClassAccuracy } = segmentationScores(confusion, 3);
    expect(meanIoU).toBeCloseTo((100 * (2 / 4 + 3 / 5)) / 2);
    expect(pixelAccuracy).toBeCloseTo((100 * 5) / 7);
    expect(meanClassAccuracy).toBeCloseTo((100 * (2 / 4 + 1)) / 2);
  });

  test('a class that is predicted and never true counts against the mean, and so does no answer', () => {
    const invented = segmentationScores(confusionOf(Uint8Array.of(0, 0), [0, 1], 2), 2);
    expect(invented.meanIoU).toBeCloseTo((50 + 0) / 2);
    const silent = segmentationScores(confusionOf(Uint8Array.of(0, 0), [0, 2], 2), 2);
    expect(silent).toEqual({ meanIoU: 50, pixelAccuracy: 50, meanClassAccuracy: 50 });
    expect(segmentationScores(confusionOf(Uint8Array.of(255), [0], 2), 2).meanIoU).toBe(0);
  });

  test('what cannot be is refused', () => {
    expect(() => confusionOf(Uint8Array.of(3), [0], 3)).toThrow(/expected a class below 3, got 3/);
    expect(() => confusionOf(Uint8Array.of(0), [0, 1], 3)).toThrow(/expected 1 predicted pixels, got 2/);
  });
});

test('windows follow each other, and the last one ends with the side', () => {
  expect(windowStarts(8, 8)).toEqual([0]);
  expect(windowStarts(16, 8)).toEqual([0, 8]);
  expect(windowStarts(19, 8)).toEqual([0, 8, 11]);
});

describeOnEveryEngine('segmentation', () => {
  const K = 3;
  const pixelsOf = (height: number, width: number, channels: number, seed = 1) =>
    Float32Array.from({ length: height * width * channels }, (_, i) => Math.sin(seed + 1.7 * i));
  /** A model that looks at each pixel for itself. */
  const byPixel = (images: Tensor4D): Tensor2D => reshape(images, [images.size / K, K]);
  const options = { window: 4, channels: K, classes: K } as const;
  const whole = (height: number, width: number) => ({
    height,
    width,
    pixels: pixelsOf(height, width, K),
    maskHeight: height,
    maskWidth: width,
  });
  const best = (values: Float32Array) =>
    Array.from({ length: values.length / K }, (_, pixel) => {
      const own = [...values.subarray(pixel * K, (pixel + 1) * K)];
      return own.indexOf(Math.max(...own));
    });

  it('slides windows over a picture as if it were seen at once, and leaves nothing behind', async () => {
    const before = memory().numTensors;
    for (const [height, width] of [
      [4, 4],
      [4, 11],
      [9, 5],
    ] as const) {
      const own = whole(height, width);
      const found = await segmentWhole(byPixel, own, { ...options, looks: singleScale });
      expect([...found]).toEqual(best(own.pixels));
    }
    expect(memory().numTensors).toBe(before);
  });

  it('says the same of both halves of a symmetric picture, whatever side a model prefers', async () => {
    const [height, width] = [4, 8];
    const half = pixelsOf(height, width, K);
    const pixels = half.map((_, i) => {
      const [x, rest] = [Math.floor(i / K) % width, i - (Math.floor(i / K) % width) * K];
      return half[rest + Math.min(x, width - 1 - x) * K] ?? 0;
    });
    /** Prefers class 0 on the left of a window. */
    const onesided = (images: Tensor4D): Tensor2D => {
      const [batch, h, w] = images.shape;
      const bias = tensor2d(
        Array.from({ length: batch * h * w * K }, (_, i) =>
          i % K === 0 && Math.floor(i / K) % w < 2 ? 2 : 0,
        ),
        [batch * h * w, K],
      );
      return byPixel(images).add(bias);
    };
    const looks = multiScale.filter(({ scale }) => scale === 1);
    const found = await segmentWhole(onesided, { ...whole(height, width), pixels }, { ...options, looks });
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) expect(found[y * width + x]).toBe(found[y * width + width - 1 - x]);
    const plain = await segmentWhole(
      onesided,
      { ...whole(height, width), pixels },
      { ...options, looks: singleScale },
    );
    expect([...plain]).not.toEqual([...found]);
  });

  it('enlarges what is smaller than a window, and answers at the size of the truth', async () => {
    const found = await segmentWhole(
      byPixel,
      { ...whole(4, 6), maskHeight: 7, maskWidth: 10 },
      { ...options, looks: multiScale },
    );
    expect(found).toHaveLength(70);
    expect(Math.max(...found)).toBeLessThan(K);
  });

  it('has no answer where a logit is no number', async () => {
    const broken = (images: Tensor4D): Tensor2D => byPixel(images).mul(Number.NaN);
    const found = await segmentWhole(broken, whole(4, 4), { ...options, looks: singleScale });
    expect([...found]).toEqual(new Array(16).fill(K));
  });

  it('has a loss over the pixels that count, with a gradient for them alone', () => {
    tidy(() => {
      const logits = tensor2d([1, 0, 0, 5, 5, 5, 0, 2, 0], [3, K]);
      const { value, grad } = valueAndGrad((own) =>
        pixelCrossEntropy(own as Tensor2D, Uint8Array.of(0, IGNORED, 1), K),
      )(logits);
      const own = (right: number) => Math.log(Math.exp(right) + 2) - right;
      expect(value.dataSync()[0]).toBeCloseTo((own(1) + own(2)) / 2, 5);
      expect([...slice(grad as Tensor2D, [1, 0], [1, K]).dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
      const none = pixelCrossEntropy(logits, Uint8Array.of(IGNORED, IGNORED, IGNORED), K);
      expect(none.dataSync()[0]).toBe(0);
    });
  });

  it('scores batches of the model’s size at once, and larger pictures by windows', async () => {
    const model = { forward: (_: object, { images }: { images: Tensor4D }) => ({ logits: byPixel(images) }) };
    const task = segmentation(model, { imageSize: 4, channels: K, classes: K });
    const small = whole(4, 4);
    const large = whole(4, 9);
    const batchOf = (masks: number[]): SegmentationBatch => ({
      size: 1,
      images: small.pixels,
      masks: Uint8Array.from(masks),
    });
    const right = batchOf(best(small.pixels));
    const mask = Uint8Array.from(best(large.pixels));
    async function* batches(all: SegmentationBatch[]) {
      yield* await Promise.resolve(all);
    }
    const before = memory().numTensors;
    const scores = await evaluate(
      task,
      {},
      batches([right, { ...right, masks: new Uint8Array(16), wholes: [{ ...large, mask }] }]),
    );
    expect(scores).toEqual({ meanIoU: 100, pixelAccuracy: 100, meanClassAccuracy: 100 });
    expect(memory().numTensors).toBe(before);
    const again = segmentation(model, { imageSize: 4, channels: K, classes: K, looks: multiScale });
    expect(await again.answer?.({}, right)).toHaveLength(1);
  });
});
