import { type Tensor2D, tensor2d, tidy, valueAndGrad, sum, mul } from '@tensorflow/tfjs-core';
import { randomStream } from '../../src/index';
import { resizeBilinear } from '../../src/operations/resize-bilinear';
import { describeOnEveryEngine } from '../engine/every-engine';

type Sides = readonly [number, number];

/** Value by value, from the definition. */
function plain(values: readonly number[], [h, w]: Sides, [H, W]: Sides, K: number): number[] {
  const near = (index: number, from: number, to: number) => {
    const place = Math.min(from - 1, Math.max(0, ((index + 0.5) * from) / to - 0.5));
    const low = Math.floor(place);
    return { low, high: Math.min(from - 1, low + 1), share: place - low };
  };
  return Array.from({ length: H * W * K }, (_, i) => {
    const [y, x, k] = [Math.floor(i / (W * K)), Math.floor(i / K) % W, i % K];
    const [v, u] = [near(y, h, H), near(x, w, W)];
    const at = (row: number, column: number) => values[(row * w + column) * K + k] ?? Number.NaN;
    const above = at(v.low, u.low) * (1 - u.share) + at(v.low, u.high) * u.share;
    const below = at(v.high, u.low) * (1 - u.share) + at(v.high, u.high) * u.share;
    return above * (1 - v.share) + below * v.share;
  });
}

describeOnEveryEngine('bilinear resizing', () => {
  const cases: [Sides, Sides][] = [
    [
      [2, 3],
      [8, 9],
    ],
    [
      [4, 2],
      [4, 5],
    ],
    [
      [5, 6],
      [3, 2],
    ],
    [
      [1, 1],
      [3, 4],
    ],
  ];

  it.each(cases)('is that of PyTorch, from %j to %j, and its gradient is its transpose', (from, to) => {
    tidy(() => {
      const random = randomStream(1, 'resize', ...from);
      const K = 3;
      const pictures = [0, 1].map(() => Array.from({ length: from[0] * from[1] * K }, () => random.normal()));
      const x: Tensor2D = tensor2d(pictures.flat(), [2 * from[0] * from[1], K]);
      const weights = Array.from({ length: 2 * to[0] * to[1] * K }, () => random.normal());
      const expected = pictures.flatMap((picture) => plain(picture, from, to, K));
      const { value, grad } = valueAndGrad((own) =>
        sum(mul(resizeBilinear(own as Tensor2D, from, to), tensor2d(weights, [2 * to[0] * to[1], K]))),
      )(x);
      const found = resizeBilinear(x, from, to).dataSync();
      found.forEach((own, index) => expect(own).toBeCloseTo(expected[index] ?? Number.NaN, 5));
      // A linear map: its value is the product of input and gradient.
      const product = sum(mul(x, grad)).dataSync()[0] ?? Number.NaN;
      expect(value.dataSync()[0]).toBeCloseTo(product, 3);
      const rows = resizeBilinear(tensor2d(pictures[0] ?? [], [from[0] * from[1], K]), from, to, [1, to[0]]);
      rows
        .dataSync()
        .forEach((own, index) => expect(own).toBeCloseTo(found[to[1] * K + index] ?? Number.NaN, 5));
    });
  });
});
