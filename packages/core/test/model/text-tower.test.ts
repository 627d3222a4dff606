import { type Tensor2D, memory, slice, tensor2d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type ClipText,
  type ClipTextParams,
  type TextTowerConfig,
  type TextTransformerPreset,
  clipText,
  disposeTree,
  randomStream,
  textTowerConfig,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { plainLinear } from '../operations/plain';
import { plainTextStates, valuesOf } from './plain-towers';
import { largestDifference, perturbedParams, seeds } from './random-model';
import { roundingBound } from './rounding';
import { asTokens, endOf, randomTexts, smallTextConfigs } from './random-towers';

const modelOf = (config: TextTowerConfig) => clipText({ kind: 'clip-text', projectionDim: 5, ...config });
const statesOf = (model: ClipText, params: ClipTextParams, texts: readonly (readonly number[])[]): Tensor2D =>
  model.forward(params, { tokens: asTokens(texts) })['states'] as Tensor2D;

const tiny: TextTowerConfig = {
  vocabulary: 9,
  context: 4,
  endToken: 8,
  tower: {
    embedDim: 6,
    heads: 2,
    denseHeadDim: 3,
    activation: 'quick-gelu',
    causal: true,
    normEpsilon: 1e-5,
    blocks: [{ headDim: 3, hiddenDim: 7 }],
  },
};

describeOnEveryEngine('a text tower', () => {
  /** Largest |Δ| between the states of a model and the plain ones, and between their logits, as a share of what rounding may do. */
  const fromPlain = (config: TextTowerConfig, seed: number): number =>
    tidy(() => {
      const model = modelOf(config);
      const params = perturbedParams(model, seed);
      const texts = randomTexts(config, randomStream(seed, 'texts'), 3, config.context);
      const plain = valuesOf<ClipTextParams<number[], number[]>>(params);
      const expected = texts.flatMap((text) => plainTextStates(config, plain, text));
      const { embedDim: D } = config.tower;
      const projected = plainLinear(3, D, 5)(expected, plain.projection, new Array<number>(5).fill(0));
      const { logits } = model.forward(params, { tokens: asTokens(texts) });
      return Math.max(
        largestDifference(statesOf(model, params, texts), tensor2d(expected, [3, D])) /
          roundingBound(params, (rounded) => statesOf(model, rounded, texts)),
        largestDifference(logits, tensor2d(projected, [3, 5])) /
          roundingBound(params, (rounded) => model.forward(rounded, { tokens: asTokens(texts) }).logits),
      );
    });

  it('computes what its description says', () => {
    for (const seed of [1, 2, 3]) expect(fromPlain(tiny, seed)).toBeLessThan(1);
    fc.assert(
      fc.property(smallTextConfigs, seeds, (config, seed) => {
        expect(fromPlain(config, seed)).toBeLessThan(1);
      }),
      { numRuns: 20 },
    );
  });

  it('reads the last place of the context, which every other may be seen from, where it says so', () => {
    const config: TextTowerConfig = { ...tiny, endToken: 'last', tower: { ...tiny.tower, causal: false } };
    for (const seed of [1, 2, 3]) expect(fromPlain(config, seed)).toBeLessThan(1);
    tidy(() => {
      const model = modelOf(config);
      const params = perturbedParams(model, 1);
      expect(() => statesOf(model, params, [[0, 1, 8]])).toThrow(
        /expected texts that are filled up to 4 tokens, got 3/,
      );
    });
  });

  it('reads nothing after the first end token, and may leave out what no text needs', () => {
    fc.assert(
      fc.property(smallTextConfigs, seeds, (config, seed) => {
        tidy(() => {
          const model = modelOf(config);
          const params = perturbedParams(model, seed);
          const random = randomStream(seed, 'texts');
          const texts = randomTexts(config, random, 4, config.context);
          const expected = statesOf(model, params, texts);
          const ends = texts.map((text) => text.indexOf(endOf(config)));
          const otherwise = texts.map((text, i) =>
            text.map((token, position) =>
              position <= (ends[i] ?? 0) ? token : random.integer(config.vocabulary),
            ),
          );
          const bound = roundingBound(params, (rounded) => statesOf(model, rounded, texts));
          expect(largestDifference(statesOf(model, params, otherwise), expected)).toBeLessThan(bound);
          const longest = Math.max(...ends) + 1;
          const cut = texts.map((text) => text.slice(0, longest));
          expect(largestDifference(statesOf(model, params, cut), expected)).toBeLessThan(bound);
        });
      }),
      { numRuns: 20 },
    );
  });

  /** Largest |Δ| between the states of a text in a batch of four and those of it alone, as a share of what rounding may do. */
  const fromAlone = (config: TextTowerConfig, seed: number, which: number): number =>
    tidy(() => {
      const model = modelOf(config);
      const params = perturbedParams(model, seed);
      const texts = randomTexts(config, randomStream(seed, 'texts'), 4, config.context);
      const together = slice(statesOf(model, params, texts), [which, 0], [1, config.tower.embedDim]);
      const alone = (own: ClipTextParams) => statesOf(model, own, texts.slice(which, which + 1));
      return largestDifference(alone(params), together) / roundingBound(params, alone);
    });

  it('gives each text its embedding, whatever else is in the batch', () => {
    for (const which of [0, 1, 2, 3]) expect(fromAlone(tiny, which, which)).toBeLessThan(1);
    fc.assert(
      fc.property(smallTextConfigs, seeds, fc.nat(3), (config, seed, which) => {
        expect(fromAlone(config, seed, which)).toBeLessThan(1);
      }),
      { numRuns: 20 },
    );
  });

  it('reads the words before the end, in their order', () => {
    tidy(() => {
      const model = modelOf(tiny);
      const params = perturbedParams(model, 1);
      const [text, other, turned, longer] = [
        [3, 4, 8, 0],
        [3, 5, 8, 0],
        [4, 3, 8, 0],
        [3, 4, 4, 8],
      ].map((tokens) => statesOf(model, params, [tokens]));
      for (const each of [other, turned, longer]) {
        if (text === undefined || each === undefined) throw new Error('expected four texts');
        expect(largestDifference(each, text)).toBeGreaterThan(1e-3);
      }
    });
  });

  it('refuses texts that are too long, and leaves no tensor', () => {
    const model = modelOf(tiny);
    const before = memory().numTensors;
    const params = perturbedParams(model, 1);
    tidy(() => {
      expect(() => statesOf(model, params, [[0, 1, 2, 3, 8]])).toThrow(/at most 4 tokens, got 5/);
      expect(statesOf(model, params, [[0, 1, 2, 8]]).shape).toEqual([1, 6]);
    });
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
  });
});

describe('textTowerConfig', () => {
  it.each<[TextTransformerPreset, { embedDim: number; heads: number; headDim: number; layers: number }]>([
    ['nano', { embedDim: 96, heads: 3, headDim: 32, layers: 4 }],
    ['tiny', { embedDim: 192, heads: 3, headDim: 64, layers: 12 }],
    ['small', { embedDim: 384, heads: 6, headDim: 64, layers: 12 }],
    ['clip-base', { embedDim: 512, heads: 8, headDim: 64, layers: 12 }],
    ['clip-large', { embedDim: 768, heads: 12, headDim: 64, layers: 12 }],
  ])('%s has its published shape', (preset, { embedDim, heads, headDim, layers }) => {
    const { tower, endToken } = textTowerConfig(preset, { vocabulary: 100, context: 77 });
    expect(tower).toMatchObject({ embedDim, heads, denseHeadDim: headDim, causal: true });
    expect(tower.activation).toBe('quick-gelu');
    expect(tower.blocks).toEqual(new Array(layers).fill({ headDim, hiddenDim: 4 * embedDim }));
    expect(endToken).toBe(99);
  });

  it.each<[string, Parameters<typeof textTowerConfig>[1], RegExp]>([
    ['a context without room for an end', { vocabulary: 9, context: 1 }, /at least 2 tokens.*got 1/],
    ['half a token', { vocabulary: 9, context: 2.5 }, /got 2.5/],
    ['an end outside the vocabulary', { vocabulary: 9, context: 4, endToken: 9 }, /within 0…8, got 9/],
    ['an empty vocabulary', { vocabulary: 0, context: 4 }, /got -1/],
  ])('refuses %s', (_what, options, message) => {
    expect(() => textTowerConfig('nano', options)).toThrow(RangeError);
    expect(() => textTowerConfig('nano', options)).toThrow(message);
  });
});
