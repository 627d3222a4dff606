import { type Tensor2D, ones, tensor2d, tensor4d, zeros } from '@tensorflow/tfjs-core';
import {
  type VisionTransformerParams,
  branchDropAt,
  disposeTree,
  initialize,
  tidyTree,
  visionTransformer,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const block = { headDim: 4, hiddenDim: 8 };
const ofDepth = (depth: number) =>
  visionTransformer({
    kind: 'vision-transformer',
    imageSize: 4,
    patchSize: 2,
    channels: 3,
    embeddingNorm: false,
    patchBias: true,
    classes: 3,
    distillation: 'none',
    tower: {
      embedDim: 8,
      heads: 2,
      denseHeadDim: 4,
      causal: false,
      normEpsilon: 1e-6,
      activation: 'gelu',
      blocks: Array.from({ length: depth }, () => block),
    },
  });
const pixels = Float32Array.from({ length: 2 * 48 }, (_, i) => Math.sin(i));
const logitsOf = (
  depth: number,
  params: VisionTransformerParams,
  drop?: (branch: string, height: number, batch: number) => Tensor2D | undefined,
): number[] => {
  const told: number[] = [];
  tidyTree(() => {
    const images = tensor4d(pixels, [2, 4, 4, 3]);
    const { logits } = ofDepth(depth).forward(params, drop === undefined ? { images } : { images, drop });
    told.push(...logits.dataSync());
    return {};
  });
  return told;
};

describeOnEveryEngine('stochastic depth', () => {
  const params = () => initialize<VisionTransformerParams>(ofDepth(2).specs, 3);

  it('of branches that all go leaves the model without their block; of none, the model', () => {
    const whole = params();
    const first = { ...whole, blocks: whole.blocks.slice(0, 1) };
    const shallow = logitsOf(1, first);
    const without = logitsOf(2, whole, (_, height, batch) => (height === 1 ? zeros([batch, 1]) : undefined));
    const full = logitsOf(2, whole);
    const kept = logitsOf(2, whole, (_, _height, batch) => ones([batch, 1]));
    without.forEach((value, index) => expect(value).toBeCloseTo(shallow[index] ?? Number.NaN, 5));
    kept.forEach((value, index) => expect(value).toBeCloseTo(full[index] ?? Number.NaN, 5));
    expect(without.some((value, index) => Math.abs(value - (full[index] ?? 0)) > 1e-4)).toBe(true);
    disposeTree(whole);
  });

  it('leaves out examples by themselves', () => {
    const whole = params();
    const gone = (_: string, height: number): Tensor2D | undefined =>
      height === 1 ? tensor2d([0, 1], [2, 1]) : undefined;
    const mixed = logitsOf(2, whole, gone);
    const shallow = logitsOf(1, { ...whole, blocks: whole.blocks.slice(0, 1) });
    const full = logitsOf(2, whole);
    const expected = [...shallow.slice(0, 3), ...full.slice(3)];
    mixed.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 5));
    disposeTree(whole);
  });

  it('draws by seed, step, part and branch; shares rise with height, and the mean stays 1', () => {
    const draw = (
      seed: number,
      step: number,
      part: number,
      branch: string,
      height = 1,
      batch = 400,
    ): number[] => {
      const told: number[] = [];
      tidyTree(() => {
        told.push(
          ...(branchDropAt({ rate: 0.4, seed }, step, part)(branch, height, batch)?.dataSync() ?? []),
        );
        return {};
      });
      return told;
    };
    const one = draw(1, 2, 0, 'vision.3.ffn');
    expect(draw(1, 2, 0, 'vision.3.ffn')).toEqual(one);
    for (const other of [
      draw(2, 2, 0, 'vision.3.ffn'),
      draw(1, 3, 0, 'vision.3.ffn'),
      draw(1, 2, 1, 'vision.3.ffn'),
      draw(1, 2, 0, 'text.3.ffn'),
    ])
      expect(other).not.toEqual(one);
    expect(draw(1, 2, 0, 'vision.0.ffn', 0)).toEqual([]); // the first block stays whole
    for (const height of [0.25, 0.5, 1]) {
      const drawn = draw(5, 0, 0, 'a', height, 4000);
      const gone = drawn.filter((value) => value === 0).length / drawn.length;
      expect(Math.abs(gone - 0.4 * height)).toBeLessThan(0.03);
      expect(Math.abs(drawn.reduce((sum, value) => sum + value, 0) / drawn.length - 1)).toBeLessThan(0.05);
    }
  });
});
