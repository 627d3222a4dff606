import {
  type Tensor1D,
  type Tensor2D,
  concat,
  div,
  memory,
  mul,
  reshape,
  square,
  sub,
  sum,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type DualEncoderConfig,
  type DualEncoderParams,
  compact,
  decisionFromMasks,
  disposeTree,
  dualEncoder,
  effective,
  entriesOf,
  modelOf,
  randomStream,
  sizeOf,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { plainSimilarities, valuesOf } from './plain-towers';
import { largestDifference, perturbedParams, randomImages, randomMasks, seeds } from './random-model';
import { asTokens, randomTexts, smallDualEncoders } from './random-towers';
import { roundingBound } from './rounding';

/** A model of a configuration, parameters and inputs, all drawn from the seed. To be called in a tidy. */
function drawn(config: DualEncoderConfig, seed: number) {
  const model = dualEncoder(config);
  const random = randomStream(seed, 'inputs');
  const images = randomImages(config.vision, random, 3);
  const texts = randomTexts(config.text, random, 4, config.text.context);
  return { model, params: perturbedParams(model, seed), images, texts, tokens: asTokens(texts) };
}

const withScale = (params: DualEncoderParams, logarithm: number): DualEncoderParams => ({
  ...params,
  logitScale: tensor1d([logarithm]),
});

describeOnEveryEngine('a dual encoder', () => {
  it('computes what its description says', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const { model, params, images, texts, tokens } = drawn(config, seed);
          const plain = valuesOf<DualEncoderParams<number[], number[]>>(params);
          const pixels = [...images.dataSync()];
          const pictures = [0, 1, 2].map((i) =>
            pixels.slice((i * pixels.length) / 3, ((i + 1) * pixels.length) / 3),
          );
          const expected = plainSimilarities(config, plain, pictures, texts).flat();
          expect(params.logitBias !== undefined).toBe(config.loss === 'sigmoid');
          const logits = [...model.forward(params, { images, tokens }).logits.dataSync()];
          expect(logits).toHaveLength(expected.length);
          const scale = Math.exp(plain.logitScale[0] ?? Number.NaN);
          const logitsOf = (own: DualEncoderParams) => model.forward(own, { images, tokens }).logits;
          const bound = roundingBound(params, logitsOf, 1e-5 * scale);
          expected.forEach((value, i) => {
            expect(Math.abs(value - (logits[i] ?? Number.NaN))).toBeLessThan(bound);
          });
        });
      }),
      { numRuns: 20 },
    );
  });

  it('predicts the embeddings of both sides, of length 1', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const { model, params, images, tokens } = drawn(config, seed);
          const prediction = model.forward(params, { images, tokens });
          expect(Object.keys(prediction).sort()).toEqual(['images', 'logits', 'texts']);
          for (const [name, alone, count] of [
            ['images', model.embedImages(params, images), 3],
            ['texts', model.embedTexts(params, tokens), 4],
          ] as const) {
            const embeddings = prediction[name];
            if (embeddings === undefined) throw new Error(`no ${name} are predicted`);
            expect(embeddings.shape).toEqual([count, config.projectionDim]);
            expect(largestDifference(alone, embeddings)).toBe(0);
            for (const length of sum(square(embeddings), 1).dataSync()) expect(length).toBeCloseTo(1, 5);
          }
        });
      }),
      { numRuns: 10 },
    );
  });

  it.each([-3, 0, 2.5, 4.6, 4.7, 9])('scales its cosines by e to the learned %d', (log) => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const { model, params, images, tokens } = drawn(config, seed);
          const logitsAt = (scale: number): Tensor2D => {
            const { logits } = model.forward(withScale(params, scale), { images, tokens });
            return params.logitBias === undefined ? logits : sub(logits, params.logitBias);
          };
          const [cosines, scaled] = [logitsAt(0), logitsAt(log)];
          const scale = Math.exp(log);
          expect(largestDifference(mul(cosines, scale), scaled)).toBeLessThan(1e-5 * Math.max(1, scale));
        });
      }),
      { numRuns: 3 },
    );
  });

  it('is the same cut as masked', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const { model, params, images, tokens } = drawn(config, seed);
          const masks = randomMasks(model.sites, randomStream(seed, 'masks'));
          const tensors = Object.fromEntries(Object.entries(masks).map(([id, mask]) => [id, tensor1d(mask)]));
          const whole = effective(params, model.sites, tensors);
          const masked = model.forward(whole, { images, tokens });
          const cut = compact(model, params, decisionFromMasks(model.sites, masks));
          const small = cut.model.forward(cut.params, { images, tokens });
          // Cosines and embeddings: the temperature scales their rounding too.
          const scale = Math.exp(params.logitScale.dataSync()[0] ?? Number.NaN);
          const together = ({ logits, images: pictures, texts }: typeof masked): Tensor1D => {
            if (pictures === undefined || texts === undefined) throw new Error('no embeddings are predicted');
            return concat([div(logits, scale), pictures, texts].map((one) => reshape(one, [one.size])));
          };
          const bound = roundingBound(whole, (own) => together(model.forward(own, { images, tokens })));
          expect(largestDifference(together(small), together(masked))).toBeLessThan(bound);
          expect(small.logits.shape).toEqual([3, 4]);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('becomes the model that its account says, with parameters of its specifications', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        const before = memory().numTensors;
        const model = dualEncoder(config);
        const params = perturbedParams(model, seed);
        const masks = randomMasks(model.sites, randomStream(seed, 'masks'));
        const cut = compact(model, params, decisionFromMasks(model.sites, masks));
        const leaves = entriesOf(cut.params);
        expect(leaves.reduce((total, [, leaf]) => total + sizeOf(leaf), 0)).toBe(
          cut.model.account.parameters,
        );
        expect(leaves.map(([path, { shape }]) => [path, shape])).toEqual(
          entriesOf(cut.model.specs).map(([path, { shape }]) => [path, [...shape]]),
        );
        expect(cut.model.config).toEqual(modelOf(cut.model.config).config);
        disposeTree([params, cut.params]);
        expect(memory().numTensors).toBe(before);
      }),
      { numRuns: 10 },
    );
  });
});

describe('the sites of a dual encoder', () => {
  it('have unique names, each in its tower, and couple parameters that exist', () => {
    fc.assert(
      fc.property(smallDualEncoders, (config) => {
        const { sites, specs } = dualEncoder(config);
        const { vision, text } = config;
        const blocks = vision.tower.blocks.length + text.tower.blocks.length;
        expect(sites).toHaveLength(2 * (blocks + (vision.attentionPool === undefined ? 0 : 1)));
        expect(new Set(sites.map(({ id }) => id)).size).toBe(sites.length);
        const shapes = new Map(entriesOf(specs).map(([path, { shape }]) => [path, shape]));
        for (const { id, tower, units, couplings } of sites) {
          expect(['vision', 'text']).toContain(tower);
          expect(id).toMatch(new RegExp(`^${tower}\\.(blocks|attentionPool)\\.`));
          for (const { parameter, axis, copies } of couplings) {
            expect(parameter.startsWith(`${id}.`)).toBe(true);
            expect(shapes.get(parameter)?.[axis]).toBe(copies * units);
          }
        }
      }),
    );
  });
});
