import { type PrunableMatrix, maskFrom } from '@winnow/core';
import fc from 'fast-check';
import { expectedOverlap, overlapOf } from '../src/overlap';
import { keptIn, keptShares, parseTicket, ticketOf } from '../src/ticket';
import { sampleOf, verdictOf } from '../src/verdict';
import { matrix } from './matrices';

/** A matrix of a tower, which stands in the model at the same path or at one of its own. */
const named = (
  inTower: string,
  tower: string,
  layer: number | undefined,
  parameter: string = inTower,
): PrunableMatrix => ({ ...matrix('vision.0.query', 2, 2), parameter, inTower, tower, layer });
const facts = {
  start: { vision: 'a'.repeat(64) },
  rewindSteps: 0,
  found: { task: 'classification', data: 'stripes', round: 1, seed: 1, run: 'abc' },
};
const classifier = [named('blocks.0.ffn.expand.weight', 'vision', 0)];
const dual = [
  named('blocks.0.ffn.expand.weight', 'vision', 0, 'vision.blocks.0.ffn.expand.weight'),
  named('blocks.0.ffn.expand.weight', 'text', 0, 'text.blocks.0.ffn.expand.weight'),
  named('projection', 'vision', undefined, 'visionProjection'),
];
const bits = (...entries: number[]) => Uint8Array.from(entries);

describe('a ticket', () => {
  const found = ticketOf(
    dual,
    {
      'vision.blocks.0.ffn.expand.weight': bits(1, 0, 0, 0),
      'text.blocks.0.ffn.expand.weight': bits(0, 0, 1, 1),
      visionProjection: bits(1, 1, 1, 1),
    },
    facts,
  );

  it('survives JSON, and gives its masks back to the model that it was found in', () => {
    const copy = parseTicket(JSON.parse(JSON.stringify(found)), 'the file');
    expect(copy).toEqual(found);
    expect(keptIn(copy, dual)['text.blocks.0.ffn.expand.weight']).toEqual(bits(0, 0, 1, 1));
    expect(found.sparsity).toBe(5 / 12);
  });

  it('of two towers can be trained in one, and the other way round', () => {
    expect(keptIn(found, classifier)).toEqual({ 'blocks.0.ffn.expand.weight': bits(1, 0, 0, 0) });
    const one = ticketOf(classifier, { 'blocks.0.ffn.expand.weight': bits(0, 1, 1, 0) }, facts);
    expect(keptIn(one, dual)).toEqual({
      'vision.blocks.0.ffn.expand.weight': bits(0, 1, 1, 0),
      'text.blocks.0.ffn.expand.weight': bits(1, 1, 1, 1),
      visionProjection: bits(1, 1, 1, 1),
    });
  });

  it('says what is left of towers and layers', () => {
    expect(keptShares(found)).toEqual([
      { place: 'vision', kept: 5 / 8 },
      { place: 'vision layer 0', kept: 1 / 4 },
      { place: 'text', kept: 1 / 2 },
      { place: 'text layer 0', kept: 1 / 2 },
      { place: 'vision projection', kept: 1 },
    ]);
  });

  it('is refused where it does not fit, or is none', () => {
    const larger = [{ ...named('blocks.0.ffn.expand.weight', 'vision', 0), shape: [4, 2] as const }];
    expect(() => keptIn(found, larger)).toThrow(/is for \[2, 2\], the model has \[4, 2\]/);
    expect(() => keptIn(found, [named('blocks.7.ffn.expand.weight', 'vision', 7)])).toThrow(
      /no matrix in common/,
    );
    expect(() => parseTicket({ winnow: 'ticket/2' }, 'a.json')).toThrow(
      /a.json is not a ticket:\n {2}at winnow: expected a ticket of version 1/,
    );
    const damaged = { ...found, masks: { a: { kind: 'mask', shape: [9, 9], bits: 'AA==' } } };
    expect(() => parseTicket(damaged, 'a.json')).toThrow(/a.json: the mask of a: expected 81 bits/);
  });
});

describe('the overlap of tickets', () => {
  const ticketWith = (...entries: number[]) => ({
    masks: { 'vision.blocks.0.a': maskFrom(entries, [1, 4]) },
  });

  it('is the share of what either keeps that both keep, as worked out by hand', () => {
    expect(overlapOf(ticketWith(1, 1, 0, 0), ticketWith(0, 1, 1, 0))).toEqual({
      shared: 1 / 3,
      random: 0.25 / 0.75,
      weights: 4,
    });
  });

  it('is 1 with itself, symmetric, and r/(2 − r) for random masks', () => {
    const entries = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(entries, entries, (a, b) => {
        const [one, other] = [ticketWith(...a), ticketWith(...b)];
        expect(overlapOf(one, one).shared).toBe(1);
        expect(overlapOf(one, other)).toEqual(overlapOf(other, one));
      }),
    );
    for (const r of [0.1, 0.3, 0.9, 1]) expect(expectedOverlap(r, r)).toBeCloseTo(r / (2 - r), 12);
  });

  it('is of what both are about, and there must be something', () => {
    const [a, b] = [ticketWith(1, 0, 0, 0), ticketWith(1, 0, 0, 0)];
    const more = { masks: { ...b.masks, 'text.blocks.0.a': maskFrom([1], [1, 1]) } };
    expect(overlapOf(a, more)).toEqual(overlapOf(a, b));
    expect(() => overlapOf(a, { masks: {} })).toThrow(/no matrix in common/);
    expect(() => overlapOf(a, { masks: { 'vision.blocks.0.a': maskFrom([1], [1, 1]) } })).toThrow(
      /differ in shape/,
    );
  });
});

describe('the verdict', () => {
  it('gives what the slides give: RefCOCO+ passes by the mean, VCR and Flickr30k only within a deviation, random masks never', () => {
    // Scores with the published means and deviations.
    const scores = (mean: number, deviation: number) => [mean - deviation, mean, mean + deviation];
    const judge = (mean: number, deviation: number, dense: number) => {
      const { isRelaxedWinning, isWithinDeviation } = verdictOf(scores(mean, deviation), [dense]);
      return [isRelaxedWinning, isWithinDeviation];
    };
    expect(judge(74.06, 0.27, 74.73)).toEqual([true, true]);
    expect(judge(53.15, 1.02, 54.37)).toEqual([false, true]);
    expect(judge(70.15, 0.71, 71.25)).toEqual([false, true]);
    expect(judge(60.45, 0, 70.64)).toEqual([false, false]);
  });

  it('has the deviation of a sample', () => {
    expect(sampleOf([1, 2, 3])).toEqual({ count: 3, mean: 2, deviation: 1 });
    expect(sampleOf([5])).toEqual({ count: 1, mean: 5, deviation: 0 });
    expect(verdictOf([98, 100], [100, 100]).relative).toBe(0.99);
    expect(verdictOf([98, 100], [100, 100]).isRelaxedWinning).toBe(true);
    expect(() => sampleOf([])).toThrow(RangeError);
  });
});
