import {
  type Tensor,
  type Tensor2D,
  abs,
  add,
  dispose,
  keep,
  matMul,
  max,
  mul,
  reshape,
  sub,
  sum,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type DualEncoderConfig,
  type DualEncoderParams,
  type Enter,
  type Hooks,
  type Observe,
  type Shaped,
  dualEncoder,
  entriesOf,
  randomStream,
  resultOf,
} from '../../src/index';
import { observeOnly } from '../../src/layers/observe';
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

  it('sees what comes out of every linear map, and the states between blocks', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const model = dualEncoder(config);
          const params = perturbedParams(model, seed);
          const seen = new Map<string, Tensor2D>();
          const observe: Observe = (path, values) => seen.set(path, keep(values.clone()));
          model.forward(params, { ...inputsOf(config, seed), observe });
          const leaves = new Map(entriesOf(params));
          for (const [path, input] of seen) {
            const [weight, result] = [leaves.get(`${path}.weight`), seen.get(resultOf(path))];
            if (weight === undefined || result === undefined) continue;
            const bias = leaves.get(`${path}.bias`) ?? zeros([weight.shape[1] ?? 0]);
            expect(distance(result, add(matMul(input, weight as Tensor2D), bias))).toBeLessThan(1e-4);
          }
          for (const tower of ['vision', 'text'] as const) {
            config[tower].tower.blocks.forEach((_, block) => {
              const [after, next] = [resultOf(`${tower}.blocks.${block}`), `${tower}.blocks.${block + 1}`];
              const above = seen.get(next);
              expect(seen.has(after)).toBe(true);
              if (above !== undefined) expect(distance(seen.get(after), above)).toBe(0);
            });
          }
          dispose([...seen.values()]);
        });
      }),
      { numRuns: 8 },
    );
  });

  it('of some taps alone sees what one of all taps sees there, and nothing else', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, fc.nat(), (config, seed, pick) => {
        tidy(() => {
          const model = dualEncoder(config);
          const params = perturbedParams(model, seed);
          const inputs = inputsOf(config, seed);
          const seenBy = (own: (see: (path: string, values: Tensor2D) => void) => Observe) => {
            const seen = new Map<string, Tensor2D>();
            const observe = own((path, values) => seen.set(path, keep(values.clone())));
            return { seen, logits: model.forward(params, { ...inputs, observe }).logits };
          };
          const whole = seenBy((see) => see);
          const all = [...whole.seen.keys()];
          const some = all.filter((_, place) => (place + pick) % 7 === 0);
          const part = seenBy((see) =>
            observeOnly(some, (path, values) => {
              if (some.includes(path)) see(path, values);
            }),
          );
          expect([...part.seen.keys()]).toEqual(some);
          for (const [path, values] of part.seen) {
            const wanted = whole.seen.get(path);
            expect(distance(values, wanted)).toBeLessThan(1e-4 * (1 + size(wanted)));
          }
          expect(distance(part.logits, whole.logits)).toBeLessThan(1e-4 * (1 + size(whole.logits)));
          dispose([...whole.seen.values(), ...part.seen.values()]);
        });
      }),
      { numRuns: 10 },
    );
  });

  it('is told which rows are read: tokens behind the end of a text count nowhere', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        const { endToken, context, vocabulary } = config.text;
        fc.pre(endToken !== 'last' && vocabulary > 2);
        tidy(() => {
          const model = dualEncoder(config);
          const params = perturbedParams(model, seed);
          const end = endToken === 'greatest' ? vocabulary - 1 : endToken;
          const other = end === 0 ? 1 : 0;
          const texts = (behind: number) =>
            asTokens([[end, ...Array.from({ length: context - 1 }, () => behind)]]);
          const counted = (behind: number) => {
            let sums: number[] = [];
            const observe: Observe = (path, values, rows) => {
              if (path !== 'text.blocks.0.attention.query' || rows?.counted === undefined) return;
              const weights = reshape(rows.counted, [values.shape[0], 1]);
              sums = [...sum(mul(values, weights), 0).dataSync(), ...sum(rows.counted).dataSync()];
            };
            const { images } = inputsOf(config, seed);
            model.forward(params, { images, tokens: texts(behind), observe });
            return sums;
          };
          const [one, another] = [counted(other), counted(vocabulary - 2)];
          expect(one.at(-1)).toBe(1);
          expect(one).toEqual(another);
        });
      }),
      { numRuns: 15 },
    );
  });

  it('a pass that says where it begins embeds no picture', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, (config, seed) => {
        tidy(() => {
          const model = dualEncoder(config);
          const params = perturbedParams(model, seed);
          const inputs = inputsOf(config, seed);
          const path = `vision.blocks.${config.vision.tower.blocks.length - 1}`;
          const entries: Tensor2D[] = [];
          const embedded: string[] = [];
          const hooks: Hooks = {
            enter: (block, states) => {
              if (block === path) entries.push(states);
              return states;
            },
            perturb: (input, values) => {
              embedded.push(input);
              return values;
            },
          };
          const whole = model.forward(params, { ...inputs, ...hooks });
          const [states] = entries;
          if (states === undefined) throw new Error('expected the last block to begin with states');
          expect(embedded).toContain('patches');
          embedded.length = 0;
          const isBelow = (block: string) => block.startsWith('vision') && block !== path;
          const enter: Enter = Object.assign(
            (block: string, below: Tensor2D) =>
              isBelow(block) ? undefined : block === path ? states : below,
            { begins: { block: path, states } },
          );
          const again = model.forward(params, { ...inputs, ...hooks, enter });
          expect(embedded).not.toContain('patches');
          expect(distance(again.logits, whole.logits)).toBeLessThan(1e-6);
        });
      }),
      { numRuns: 10 },
    );
  });

  it('a pass may begin at any block with the states that it had, and end behind it', () => {
    fc.assert(
      fc.property(smallDualEncoders, seeds, fc.nat(), (config, seed, pick) => {
        tidy(() => {
          const model = dualEncoder(config);
          const params = perturbedParams(model, seed);
          const inputs = inputsOf(config, seed);
          const block = pick % config.vision.tower.blocks.length;
          const path = `vision.blocks.${block}`;
          const kept: { entry?: Tensor2D; result?: Tensor2D } = {};
          const whole = model.forward(params, {
            ...inputs,
            observe: (tap, values) => {
              if (tap === path) kept.entry = keep(values.clone());
              if (tap === resultOf(path)) kept.result = keep(values.clone());
            },
          });
          const from = (read: (states: Tensor2D) => void) =>
            model.forward(params, {
              ...inputs,
              enter: (own, states) => {
                if (own === path) return kept.entry;
                const [tower, , number] = own.split('.');
                if (tower !== 'vision') return states;
                return Number(number) < block ? undefined : states;
              },
              observe: (tap, values) => {
                if (tap === resultOf(path)) read(values);
              },
            });
          const again = from((states) => expect(distance(states, kept.result)).toBe(0));
          expect(distance(again.logits, whole.logits)).toBeLessThan(1e-6);
          dispose([kept.entry, kept.result].flatMap((tensor) => tensor ?? []));
        });
      }),
      { numRuns: 10 },
    );
  });
});

const inputsOf = (config: DualEncoderConfig, seed: number) => {
  const random = randomStream(seed, 'inputs');
  const images = randomImages(config.vision, random, 2);
  return { images, tokens: asTokens(randomTexts(config.text, random, 2, config.text.context)) };
};

const size = (values: Tensor | undefined): number =>
  values === undefined ? Number.NaN : (max(abs(values)).dataSync()[0] ?? Number.NaN);

const distance = (a: Tensor | undefined, b: Tensor | undefined): number =>
  a === undefined || b === undefined ? Number.NaN : (max(abs(sub(a, b))).dataSync()[0] ?? Number.NaN);
