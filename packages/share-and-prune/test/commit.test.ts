import {
  type Rank,
  type Tensor,
  abs,
  max,
  randomNormal,
  sub,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  type RandomStream,
  checkDecision,
  compact,
  disposeTree,
  entriesOf,
  randomStream,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { type Confidences, commit, decisionOf } from '../src/commit';
import { denseParameters } from '../src/count';
import { effectiveWeights } from '../src/effective-weights';
import { leastStored } from '../src/groups';
import { layoutOf, vectorSizes } from '../src/layout';
import type { Pairing, Sharing } from '../src/pairing';
import { type Choices, paired, parametersOf, placesOf, resolvedVector, small, twoTowers } from './towers';

beforeAll(async () => {
  await startEngine('wasm');
});

const model = twoTowers(small);
const sharings: readonly Sharing[] = [
  { acrossTowers: true, baseLayers: [] },
  { acrossTowers: true, baseLayers: [0] },
  { acrossTowers: true, baseLayers: [0, 2] },
  { acrossTowers: false, baseLayers: [0] },
];
const cases = fc.record({
  sharing: fc.constantFrom(...sharings),
  seed: fc.integer({ min: 0, max: 1e6 }),
  /** From the least that is possible to everything. */
  room: fc.double({ min: 0, max: 1, noNaN: true }),
  /** Added to the confidences: negative ones leave little. */
  lean: fc.double({ min: -2, max: 2, noNaN: true }),
});

function randomConfidences({ subLayers }: Pairing, random: RandomStream, lean: number): Confidences {
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal() + lean);
  return Object.fromEntries(
    subLayers.map((subLayer) => {
      const { share, keep } = vectorSizes(subLayer);
      return [subLayer.id, { share: draw(share), keep: draw(keep) }];
    }),
  );
}

/** Counts what choices store, by pointers: every column that anything points at, once. */
function storedByHand(pairing: Pairing, choices: Choices): number {
  const D = small.embedDim;
  const distinct = new Set(
    [...placesOf(pairing, choices).values()].flat().filter((place) => place !== undefined),
  );
  const columns = [...distinct].reduce(
    (sum, place) => sum + (place.includes('.hidden.') ? 2 * D + 1 : D + 1),
    0,
  );
  const outputs = pairing.subLayers.filter(({ structure }) => structure === 'attention');
  return columns + outputs.reduce((sum, { columns }) => sum + columns * D, 0);
}

const plain = (choices: ReturnType<typeof commit>['choices']): Choices =>
  Object.fromEntries(
    Object.entries(choices).map(([id, { share, keep }]) => [id, { share: [...share], keep: [...keep] }]),
  );

function drawn({ sharing, seed, room, lean }: typeof cases extends fc.Arbitrary<infer Case> ? Case : never) {
  const pairing = paired(small, sharing);
  const confidences = randomConfidences(pairing, randomStream(seed, 'confidences'), lean);
  const least = leastStored(pairing);
  const target = least + room * (denseParameters(pairing) - least);
  return { pairing, confidences, target };
}

describe('the commit', () => {
  it('meets the budget, by less than a unit where there is something to give back', () => {
    fc.assert(
      fc.property(cases, (drawnCase) => {
        const { pairing, confidences, target } = drawn(drawnCase);
        const { choices, stored } = commit(pairing, confidences, target);
        expect(storedByHand(pairing, plain(choices))).toBe(stored);
        expect(stored).toBeLessThanOrEqual(target);
        // What one gate can give back: a column of q, k and v each, or a hidden unit; lent ones come back together.
        const D = small.embedDim;
        expect(target - stored).toBeLessThanOrEqual(3 * (2 * D + 2));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves a learned structure alone that meets the budget to a column', () => {
    fc.assert(
      fc.property(cases, (drawnCase) => {
        const { pairing, confidences } = drawn(drawnCase);
        const whole = commit(pairing, confidences, Infinity);
        const learned = { ...whole, target: whole.learned };
        const again = commit(pairing, confidences, learned.target);
        expect(again.learned).toBe(learned.target);
        expect(again.stored).toBe(learned.target);
        expect(again.moved).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('moves the least sure gates first', () => {
    const pairing = paired(small, { acrossTowers: true, baseLayers: [] });
    const confidences: Confidences = Object.fromEntries(
      pairing.subLayers.map((subLayer) => {
        const { share, keep } = vectorSizes(subLayer);
        return [
          subLayer.id,
          {
            share: new Float32Array(share).fill(9),
            keep: Float32Array.from({ length: keep }, (_, i) => 1 + i),
          },
        ];
      }),
    );
    // Two hidden units have to go: the first ones of the first sub-layers, where the confidence is smallest.
    const target = denseParameters(pairing) - 2 * (2 * small.embedDim + 1);
    const { choices, moved, stored } = commit(pairing, confidences, target);
    const gone = pairing.subLayers.flatMap(({ id }) =>
      [...(choices[id]?.keep ?? [])].flatMap((kept, unit) => (kept === 0 ? [`${id}/${unit}`] : [])),
    );
    expect(moved).toBe(gone.length);
    expect(new Set(gone.map((place) => place.split('/')[1]))).toEqual(new Set(['0']));
    expect(stored).toBeLessThanOrEqual(target);
  });

  it('is the same every time, and leaves every sub-layer a unit', () => {
    fc.assert(
      fc.property(cases, (drawnCase) => {
        const { pairing, confidences, target } = drawn(drawnCase);
        const first = commit(pairing, confidences, target);
        expect(commit(pairing, confidences, target)).toEqual(first);
        checkDecision(decisionOf(pairing, first.choices, model.sites), model.sites);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses less than what can be reached', () => {
    const pairing = paired(small, { acrossTowers: true, baseLayers: [0] });
    const confidences = randomConfidences(pairing, randomStream(1), 0);
    expect(commit(pairing, confidences, leastStored(pairing)).stored).toBe(leastStored(pairing));
    expect(() => commit(pairing, confidences, leastStored(pairing) - 1)).toThrow(RangeError);
  });
});

const inputs = () => ({
  images: randomNormal<Rank.R4>([2, 8, 8, 1], 0, 1, 'float32', 5),
  tokens: tensor2d([1, 2, 6, 3, 6, 0], [2, 3], 'int32'),
});

describe('the decision of a commit', () => {
  it('cuts a model that stores what was counted and gives what the effective weights give', () => {
    fc.assert(
      fc.property(cases, (drawnCase) => {
        const { pairing, confidences, target } = drawn(drawnCase);
        const { choices, stored } = commit(pairing, confidences, target);
        const decision = decisionOf(pairing, choices, model.sites);
        const small = model.shrink(decision);
        expect(model.account.parameters - small.account.parameters).toBe(denseParameters(pairing) - stored);
        const params = parametersOf(model, drawnCase.seed);
        tidy(() => {
          const vector = tensor1d(resolvedVector(plain(choices), pairing));
          const weights = effectiveWeights(params, vector, layoutOf(pairing));
          const cut = compact(model, weights, decision);
          const sizes = entriesOf<Tensor>(cut.params).reduce((sum, [, { size }]) => sum + size, 0);
          expect(sizes).toBe(small.account.parameters);
          const dense = model.forward(weights, inputs()).logits;
          const difference = max(abs(sub(dense, cut.model.forward(cut.params, inputs()).logits)));
          expect(difference.dataSync()[0]).toBeLessThan(1e-5);
        });
        disposeTree(params);
      }),
      { numRuns: 20 },
    );
  });
});
