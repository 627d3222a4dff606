import { scalar, tidy } from '@tensorflow/tfjs-core';
import { randomStream } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { budgetPenalty, denseParameters, storedParameters } from '../src/count';
import type { Sharing } from '../src/pairing';
import { resolveConflicts } from '../src/structure';
import {
  type Choices,
  asStructure,
  numbersOf,
  paired,
  placesOf,
  present,
  randomChoices,
  small,
} from './towers';

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

const resolved = (pairing: ReturnType<typeof paired>, choices: Choices) =>
  resolveConflicts(asStructure(choices), pairing);

describe('sharing and pruning', () => {
  it('resolves conflicts as pointers do: what is used by another stays, whatever m says', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { pairing, choices, places } = draw(drawn);
        tidy(() => {
          const structure = resolved(pairing, choices);
          for (const { id, structure: kind } of pairing.subLayers) {
            const part = kind === 'ffn' ? 'hidden' : 'query';
            const expected = (places.get(`${id}.${part}`) ?? []).map((place) =>
              place === undefined ? 0 : 1,
            );
            expect(numbersOf(present(structure[id]).keep)).toEqual(expected);
            expect(numbersOf(present(structure[id]).share)).toEqual(present(choices[id]).share);
          }
        });
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
        const counted = tidy(() => storedParameters(resolved(pairing, choices), pairing).dataSync()[0]);
        expect(counted).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('counts the dense towers as their sites do', () => {
    const pairing = paired(small, { acrossTowers: true, baseLayers: [0] });
    const all = tidy(() => {
      const ones = Object.fromEntries(
        Object.entries(randomChoices(pairing, randomStream(1))).map(([id, { share, keep }]) => [
          id,
          { share: share.map(() => 1), keep: keep.map(() => 1) },
        ]),
      );
      return storedParameters(resolved(pairing, ones), pairing).dataSync()[0];
    });
    expect(denseParameters(pairing)).toBe(all);
  });

  it('penalises only what is over budget', () => {
    const penalty = (stored: number) => tidy(() => budgetPenalty(scalar(stored), 100).dataSync()[0]);
    expect(penalty(80)).toBe(0);
    expect(penalty(100)).toBe(0);
    expect(penalty(200)).toBeCloseTo(Math.log(2), 6);
  });
});
