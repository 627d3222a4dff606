import { tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type DualEncoderParams, type Shaped, dualEncoder, entriesOf, randomStream } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { perturbedParams, randomImages, seeds } from '../model/random-model';
import { asTokens, randomTexts, smallDualEncoders } from '../model/random-towers';
import { roundingBound } from '../model/rounding';

describeOnEveryEngine('an observer of a forward pass', () => {
  it('sees what goes into every linear map, and changes nothing', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const model = dualEncoder(config);
          const params = perturbedParams(model, seed);
          const random = randomStream(seed, 'inputs');
          const images = randomImages(config.vision, random, 2);
          const tokens = asTokens(randomTexts(config.text, random, 2, config.text.context));
          const seen = new Map<string, readonly number[]>();
          const observe = (path: string, input: Shaped) => seen.set(path, input.shape);
          const observed = model.forward(params, { images, tokens, observe }).logits.dataSync();
          const alone = model.forward(params, { images, tokens }).logits.dataSync();
          const largest = Math.max(1, ...alone.map(Math.abs));
          const logitsOf = (own: DualEncoderParams) => model.forward(own, { images, tokens }).logits;
          const bound = roundingBound(params, logitsOf, 1e-5 * largest);
          observed.forEach((logit, i) => {
            expect(Math.abs(logit - (alone[i] ?? Number.NaN))).toBeLessThan(bound);
          });
          // Every matrix that multiplies tokens was fed, with rows of its own width.
          const bare = /(classToken|registers|positions|tokenEmbedding|probe)$/;
          for (const [path, { shape }] of entriesOf<Shaped>(model.specs)) {
            if (shape.length !== 2 || bare.test(path)) continue;
            expect(seen.get(path.replace(/\.weight$/, ''))?.[1]).toBe(shape[0]);
          }
        });
      }),
      { numRuns: 15 },
    );
  });
});
