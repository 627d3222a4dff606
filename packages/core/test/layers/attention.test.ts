import { type Tensor, type Tensor2D, tensor2d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { attention, randomStream } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { deviations, randomInput } from '../operations/gradient-check';

interface Case {
  readonly batch: number;
  readonly tokens: number;
  readonly context: number;
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly causal: boolean;
  readonly seed: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  tokens: fc.integer({ min: 1, max: 4 }),
  context: fc.integer({ min: 1, max: 5 }),
  heads: fc.integer({ min: 1, max: 2 }),
  keyDim: fc.integer({ min: 1, max: 3 }),
  valueDim: fc.integer({ min: 1, max: 3 }),
  causal: fc.boolean(),
  seed: fc.nat({ max: 1e6 }),
});

/** As how many tokens each is looked at, some not at all; the first always is, so that every token has something to see. */
function countsOf({ batch, context, seed }: Case): number[] {
  const random = randomStream(seed, 'counts');
  return Array.from({ length: batch * context }, (_, i) =>
    i % context === 0 || random.uniform() < 0.6 ? random.integer(4) + 1 : 0,
  );
}

/** softmax(scale · Q·Kᵀ)·V as on paper, where a token stands in the sums as often as it counts. */
function plain(
  { batch, tokens, context, heads, keyDim, valueDim, causal }: Case,
  scale: number,
  counts: number[],
) {
  return (query: readonly number[], key: readonly number[], value: readonly number[]): number[] => {
    const output: number[] = [];
    for (let row = 0; row < batch * tokens; row++) {
      const [sequence, asking] = [Math.floor(row / tokens), row % tokens];
      for (let head = 0; head < heads; head++) {
        const countAt = (at: number) => counts[sequence * context + at] ?? 0;
        const seen = Array.from({ length: context }, (_, at) => at).filter(
          (at) => countAt(at) > 0 && (!causal || at <= asking),
        );
        const entry = (of: readonly number[], width: number, token: number, column: number) =>
          of[token * heads * width + head * width + column] ?? Number.NaN;
        const weights = seen.map((at) => {
          let score = 0;
          for (let k = 0; k < keyDim; k++)
            score += entry(query, keyDim, row, k) * entry(key, keyDim, sequence * context + at, k);
          return countAt(at) * Math.exp(scale * score);
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let v = 0; v < valueDim; v++) {
          output.push(
            seen.reduce(
              (sum, at, i) =>
                sum + ((weights[i] ?? 0) / total) * entry(value, valueDim, sequence * context + at, v),
              0,
            ),
          );
        }
      }
    }
    return output;
  };
}

function inputsOf({ batch, tokens, context, heads, keyDim, valueDim, seed }: Case) {
  const random = randomStream(seed, 'inputs');
  return [
    randomInput(random, batch * tokens, heads * keyDim),
    randomInput(random, batch * context, heads * keyDim),
    randomInput(random, batch * context, heads * valueDim),
  ];
}

const asMatrix = (x: Tensor | undefined) => x as Tensor2D;

describeOnEveryEngine('attention to other tokens, some of them hidden', () => {
  it('is its formula, with its gradients', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { batch, tokens, context, heads, causal, seed } = drawn;
        const [scale, counts] = [0.6, countsOf(drawn)];
        const operation = (query?: Tensor, key?: Tensor, value?: Tensor) =>
          attention(asMatrix(query), asMatrix(key), asMatrix(value), {
            ...{ batch, tokens, context, heads, scale, causal },
            counts: tensor2d(counts, [batch, context]),
          });
        const found = deviations(
          operation,
          plain(drawn, scale, counts),
          inputsOf(drawn),
          randomStream(seed, 'check'),
        );
        expect(found.forward).toBeLessThan(1e-5);
        expect(found.gradient).toBeLessThan(1e-4);
      }),
      { numRuns: 25 },
    );
  });

  it('does not see what is hidden', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { batch, tokens, context, heads, causal, keyDim, valueDim } = drawn;
        const counts = countsOf(drawn);
        const [query, key, value] = inputsOf(drawn);
        const run = (shift: number) =>
          tidy(() => {
            const moved = (values: readonly number[] = [], width: number) =>
              values.map((entry, i) => ((counts[Math.floor(i / width)] ?? 0) > 0 ? entry : entry + shift));
            return [
              ...attention(
                tensor2d([...(query?.values ?? [])], [batch * tokens, heads * keyDim]),
                tensor2d(moved(key?.values, heads * keyDim), [batch * context, heads * keyDim]),
                tensor2d(moved(value?.values, heads * valueDim), [batch * context, heads * valueDim]),
                {
                  batch,
                  tokens,
                  context,
                  heads,
                  scale: 1,
                  causal,
                  counts: tensor2d(counts, [batch, context]),
                },
              ).dataSync(),
            ];
          });
        expect(run(3)).toEqual(run(0));
      }),
      { numRuns: 25 },
    );
  });
});
