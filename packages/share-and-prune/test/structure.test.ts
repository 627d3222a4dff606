import { scalar, tidy } from '@tensorflow/tfjs-core';
import { randomStream } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { budgetPenalty, denseParameters, storedParameters } from '../src/count';
import { bySubLayer, layoutOf } from '../src/layout';
import type { Pairing, Sharing } from '../src/pairing';
import { type Choices, paired, placesOf, present, randomChoices, resolvedVector, small } from './towers';

beforeAll(async () => {
  await startEngine('wasm');
});

const sharings = fc.record({
  acrossTowers: fc.boolean(),
  baseLayers: fc.constantFrom<readonly number[]>([], [0], [0, 2], [0, 1, 2]),
});
const cases = fc.record({ sharing: sharings, prunes: fc.boolean(), seed: fc.integer({ min: 0, max: 1e6 }) });

function draw({ sharing, prunes, seed }: { sharing: Sharing; prunes: boolean; seed: number }) {
  const pairing = paired(small, sharing);
  const choices = randomChoices(pairing, randomStream(seed, 'choices'), prunes);
  return { pairing, choices, places: placesOf(pairing, choices) };
}

const stored = (choices: Choices, pairing: Pairing) =>
  storedParameters(resolvedVector(choices, pairing), layoutOf(pairing));

describe('sharing and pruning', () => {
  it('resolves conflicts as pointers do: what is used by another stays, whatever m says', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { pairing, choices, places } = draw(drawn);
        const structure = bySubLayer(resolvedVector(choices, pairing), layoutOf(pairing), 1);
        for (const { id, structure: kind } of pairing.subLayers) {
          const part = kind === 'ffn' ? 'hidden' : 'query';
          const expected = (places.get(`${id}.${part}`) ?? []).map((place) => (place === undefined ? 0 : 1));
          expect([...present(structure[id]).keep]).toEqual(expected);
          expect([...present(structure[id]).share]).toEqual(present(choices[id]).share);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('counts what pointers to distinct columns count', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { pairing, choices, places } = draw(drawn);
        const distinct = new Set([...places.values()].flat().filter((place) => place !== undefined));
        const D = small.embedDim;
        const outputs = pairing.subLayers.filter(({ structure }) => structure === 'attention').length;
        const expected =
          [...distinct].reduce((sum, place) => sum + (place.includes('.hidden.') ? 2 * D + 1 : D + 1), 0) +
          outputs * small.heads * small.headDim * D;
        expect(stored(choices, pairing)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('counts the dense towers as their sites do', () => {
    const pairing = paired(small, { acrossTowers: true, baseLayers: [0] });
    const ones = Object.fromEntries(
      Object.entries(randomChoices(pairing, randomStream(1))).map(([id, { share, keep }]) => [
        id,
        { share: share.map(() => 1), keep: keep.map(() => 1) },
      ]),
    );
    expect(denseParameters(pairing)).toBe(stored(ones, pairing));
  });

  it('penalises only what is over budget', () => {
    const penalty = (stored: number) => tidy(() => budgetPenalty(scalar(stored), 100).dataSync()[0]);
    expect(penalty(80)).toBe(0);
    expect(penalty(100)).toBe(0);
    expect(penalty(200)).toBeCloseTo(Math.log(2), 6);
  });
});
