import { memory, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  classification,
  disposeTree,
  dualEncoder,
  evaluate,
  leavesOf,
  pictureInputs,
  randomStream,
  sidesOf,
  zeroShot,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { largestDifference, perturbedParams, randomImages, seeds } from '../model/random-model';
import { asTokens, randomTexts, smallDualEncoders } from '../model/random-towers';
import { roundingBound } from '../model/rounding';

describeOnEveryEngine('a zero-shot classifier', () => {
  it('with a prompt for each class has the logits of the dual encoder', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        const before = memory().numTensors;
        const model = dualEncoder(config);
        const params = perturbedParams(model, seed);
        const random = randomStream(seed, 'inputs');
        const texts = randomTexts(config.text, random, 4, config.text.context);
        const { forward, params: own } = zeroShot(model, params, {
          tokens: Int32Array.from(texts.flat()),
          length: config.text.context,
          perClass: 1,
        });
        tidy(() => {
          const images = randomImages(config.vision, random, 3);
          const { logits } = forward(own, { images });
          expect(logits.shape).toEqual([3, 4]);
          const expected = model.forward(params, { images, tokens: asTokens(texts) }).logits;
          const scale = Math.exp(params.logitScale.dataSync()[0] ?? Number.NaN);
          const logitsOf = (rounded: typeof params) =>
            model.forward(rounded, { images, tokens: asTokens(texts) }).logits;
          expect(largestDifference(logits, expected)).toBeLessThan(
            roundingBound(params, logitsOf, 1e-5 * scale),
          );
        });
        disposeTree([params, own]);
        expect(memory().numTensors).toBe(before);
      }),
      { numRuns: 10 },
    );
  });

  it('takes the direction of the mean embedding of all prompts of a class', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, fc.integer({ min: 2, max: 3 }), (config, seed, perClass) => {
        const model = dualEncoder(config);
        const params = perturbedParams(model, seed);
        const random = randomStream(seed, 'inputs');
        const texts = randomTexts(config.text, random, 2 * perClass, config.text.context);
        const prompts = { tokens: Int32Array.from(texts.flat()), length: config.text.context, perClass };
        const { params: own } = zeroShot(model, params, prompts);
        const { projectionDim: P } = config;
        const embed = (rounded: typeof params) => model.embedTexts(rounded, asTokens(texts));
        const embedded = tidy(() => [...embed(params).dataSync()]);
        const bound = roundingBound(params, embed, 1e-6);
        const expected = [0, 1].flatMap((k) => {
          const means = Array.from({ length: P }, (_, i) => {
            const all = Array.from(
              { length: perClass },
              (_, n) => embedded[(k * perClass + n) * P + i] ?? NaN,
            );
            return all.reduce((sum, value) => sum + value, 0) / perClass;
          });
          // Prompts that nearly cancel out leave no direction to compare.
          const length = Math.hypot(...means);
          return means.map((value) =>
            length > 1e-2 ? { value: value / length, bound: bound / length } : undefined,
          );
        });
        const classes = [...own.classes.dataSync()];
        expect(own.classes.shape).toEqual([2, P]);
        expected.forEach((direction, i) => {
          if (direction === undefined) return;
          expect(Math.abs((classes[i] ?? NaN) - direction.value)).toBeLessThan(direction.bound);
        });
        disposeTree([params, own]);
      }),
      { numRuns: 15 },
    );
  });

  it('owns its parameters, has no text tower, and is scored as a classifier', async () => {
    const before = memory().numTensors;
    const configs = fc.sample(smallDualEncoders, { seed: 1, numRuns: 50 });
    const config = configs.find(({ projections, loss }) => projections === undefined && loss === undefined);
    if (config === undefined) throw new Error('no configuration of a CLIP was drawn');
    const model = dualEncoder(config);
    const params = perturbedParams(model, 3);
    const random = randomStream(3, 'inputs');
    const texts = randomTexts(config.text, random, 2, config.text.context);
    const prompts = { tokens: Int32Array.from(texts.flat()), length: config.text.context, perClass: 1 };
    const { params: own, ...classifier } = zeroShot(model, params, prompts);
    disposeTree(params);
    expect(Object.keys(own).sort()).toEqual(['classes', 'logitScale', 'vision', 'visionProjection']);
    expect(memory().numTensors - before).toBe(leavesOf(own).length);

    const { imageSize, channels } = config.vision;
    const task = classification(classifier, { inputs: pictureInputs({ imageSize, channels }), classes: 2 });
    const { height, width } = sidesOf(imageSize);
    const pictures = Float32Array.from({ length: 3 * height * width * channels }, () => random.normal());
    async function* batches() {
      yield Promise.resolve({ size: 3, images: pictures, labels: Int32Array.of(0, 1, 0) });
    }
    const scores = await evaluate(task, own, batches());
    expect(Number.isFinite(scores['loss'])).toBe(true);
    expect([0, 100 / 3, 200 / 3, 100].some((top1) => Math.abs(top1 - (scores['top1'] ?? NaN)) < 1e-9)).toBe(
      true,
    );
    disposeTree(own);
    expect(memory().numTensors).toBe(before);
  });
});
