import fc from 'fast-check';
import { excess, mostKept, patternOf } from '../src/pattern';
import { everything, prune, removedCount } from '../src/pruning';
import { matrix } from './matrices';

const problem = fc
  .record({
    inputs: fc.integer({ min: 1, max: 11 }),
    outputs: fc.integer({ min: 1, max: 4 }),
    of: fc.integer({ min: 2, max: 5 }),
  })
  .chain(({ inputs, outputs, of }) =>
    fc.record({
      matrix: fc.constant(matrix('vision.0.query', inputs, outputs)),
      pattern: fc.integer({ min: 1, max: of - 1 }).map((kept) => ({ kept, of })),
      scores: fc.array(fc.integer({ min: 0, max: 20 }), {
        minLength: inputs * outputs,
        maxLength: inputs * outputs,
      }),
      beyond: fc.double({ min: 0, max: 1, noNaN: true }),
      rounds: fc.integer({ min: 1, max: 3 }),
    }),
  );

describe('an N:M pattern', () => {
  it.each([
    ['2:4', { kept: 2, of: 4 }],
    ['1:16', { kept: 1, of: 16 }],
    ['4:4', undefined],
    ['0:4', undefined],
    ['2-4', undefined],
    ['none', undefined],
  ])('is read from %s', (text, pattern) => {
    expect(patternOf(text)).toEqual(pattern);
  });

  it('holds once as much is gone as it asks for, whatever the rounds and however much more goes', () => {
    fc.assert(
      fc.property(problem, ({ matrix: one, pattern, scores, beyond, rounds }) => {
        const [inputs, outputs] = one.shape;
        const size = inputs * outputs;
        const needed = size - mostKept(one.shape, pattern);
        const final = needed + Math.floor(beyond * (size - needed));
        const named = { [one.parameter]: scores };
        let kept: Record<string, Uint8Array> = everything([one]);
        for (let round = 1; round <= rounds; round++) {
          const removed = Math.floor((final * round) / rounds);
          kept = prune({ matrices: [one], scope: 'global', pattern }, named, kept, removed);
          expect(removedCount(kept)).toBe(removed);
        }
        const entries = kept[one.parameter] ?? new Uint8Array();
        for (let output = 0; output < outputs; output++) {
          for (let start = 0; start < inputs; start += pattern.of) {
            let there = 0;
            for (let input = start; input < Math.min(inputs, start + pattern.of); input++)
              there += entries[input * outputs + output] ?? 0;
            expect(there).toBeLessThanOrEqual(pattern.kept);
          }
        }
      }),
    );
  });

  it('keeps the greatest of each group along the inputs, as worked out by hand', () => {
    // [4, 2]: the column of output 0 is 1, 4, 3, 2, that of output 1 is 5, 5, 5, 9.
    const scores = [1, 5, 4, 5, 3, 5, 2, 9];
    const all = new Uint8Array(8).fill(1);
    expect([...excess(scores, all, [4, 2], { kept: 2, of: 4 })]).toEqual([1, 0, 0, 1, 0, 1, 1, 0]);
  });
});
