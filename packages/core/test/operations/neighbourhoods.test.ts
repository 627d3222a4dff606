import { type Tensor2D, tensor } from '@tensorflow/tfjs-core';
import { focalLoss, randomStream } from '../../src/index';
import { groupNorm } from '../../src/layers/group-norm';
import { sigmoidFocalLoss } from '../../src/operations/focal-loss';
import { neighbourhoods } from '../../src/operations/neighbourhoods';
import { describeOnEveryEngine } from '../engine/every-engine';
import { deviations, randomInput } from './gradient-check';

const random = randomStream(3, 'neighbourhoods');

describeOnEveryEngine('what a detector is made of', () => {
  it.each([
    [3, 4],
    [1, 1],
    [1, 5],
  ] as const)('neighbourhoods of a grid of %i × %i, and their gradient', (rows, columns) => {
    const [batch, C] = [2, 3];
    const plain = (x: readonly number[]): number[] =>
      Array.from({ length: batch * rows * columns * 9 * C }, (_, at) => {
        const [channel, place] = [at % C, Math.floor(at / C)];
        const [neighbour, cell] = [place % 9, Math.floor(place / 9)];
        const [example, own] = [Math.floor(cell / (rows * columns)), cell % (rows * columns)];
        const row = Math.floor(own / columns) + Math.floor(neighbour / 3) - 1;
        const column = (own % columns) + (neighbour % 3) - 1;
        if (row < 0 || row >= rows || column < 0 || column >= columns) return 0;
        return x[((example * rows + row) * columns + column) * C + channel] ?? Number.NaN;
      });
    const input = randomInput(random, batch * rows * columns, C);
    const found = deviations((x) => neighbourhoods(x as Tensor2D, [rows, columns]), plain, [input], random);
    expect(found.forward).toBeLessThan(1e-6); // of rounding to float32
    expect(found.gradient).toBeLessThan(1e-3);
  });

  it('focal loss is the sum of the plain one, and so is its gradient', () => {
    const count = 12;
    const targets = Array.from({ length: count }, (_, at) => at % 2);
    const weights = Array.from({ length: count }, (_, at) => (at < 9 ? 1 : 0));
    const input = { shape: [count], values: Array.from({ length: count }, () => 4 * random.normal()) };
    const found = deviations(
      (x) => sigmoidFocalLoss(x, tensor(targets), tensor(weights)),
      (x) => [x.reduce((sum, logit, at) => sum + (weights[at] ?? 0) * focalLoss(logit, targets[at] ?? 0), 0)],
      [input],
      random,
    );
    expect(found.forward).toBeLessThan(1e-5);
    expect(found.gradient).toBeLessThan(1e-3);
  });

  it('group norm is that of its definition', () => {
    const [cells, groups, C] = [3, 2, 4];
    const inputs = [randomInput(random, 2 * cells, C), randomInput(random, C), randomInput(random, C)];
    const plain = (x: readonly number[], weight: readonly number[], bias: readonly number[]): number[] =>
      x.map((value, at) => {
        const [row, channel] = [Math.floor(at / C), at % C];
        const mine = x.filter(
          (_, other) =>
            Math.floor(Math.floor(other / C) / cells) === Math.floor(row / cells) &&
            Math.floor(((other % C) * groups) / C) === Math.floor((channel * groups) / C),
        );
        const mean = mine.reduce((sum, own) => sum + own, 0) / mine.length;
        const variance = mine.reduce((sum, own) => sum + (own - mean) ** 2, 0) / mine.length;
        return ((value - mean) / Math.sqrt(variance + 1e-5)) * (weight[channel] ?? 0) + (bias[channel] ?? 0);
      });
    const found = deviations(
      (x, weight, bias) =>
        groupNorm(x as Tensor2D, { weight: weight as never, bias: bias as never }, { cells, groups }),
      plain,
      inputs,
      random,
    );
    expect(found.forward).toBeLessThan(1e-4);
    expect(found.gradient).toBeLessThan(1e-3);
  });
});
