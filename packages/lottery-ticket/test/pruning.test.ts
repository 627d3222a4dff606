import type { PrunableMatrix } from '@winnow/core';
import fc from 'fast-check';
import { apportion, scopes } from '../src/groups';
import { everything, prune, removedCount } from '../src/pruning';
import { matrix } from './matrices';

/** Some matrices of two towers with scores that often tie. */
const problem = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), {
    minLength: 1,
    maxLength: 5,
  })
  .chain((shapes) => {
    const matrices = shapes.map(([rows, columns], i) =>
      matrix(`${i % 2 === 0 ? 'vision' : 'text'}.${i >> 1}.query`, rows, columns),
    );
    const total = shapes.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    return fc.record({
      matrices: fc.constant(matrices),
      total: fc.constant(total),
      scores: fc
        .array(fc.integer({ min: 0, max: 9 }), { minLength: total, maxLength: total })
        .map((flat) => split(matrices, flat)),
      later: fc
        .array(fc.integer({ min: 0, max: 9 }), { minLength: total, maxLength: total })
        .map((flat) => split(matrices, flat)),
      removed: fc.tuple(fc.integer({ min: 0, max: total }), fc.integer({ min: 0, max: total })),
      scope: fc.constantFrom(...scopes),
    });
  });

function split(matrices: readonly PrunableMatrix[], flat: readonly number[]): Record<string, number[]> {
  let start = 0;
  return Object.fromEntries(
    matrices.map(({ parameter, shape: [rows, columns] }) => {
      const values = flat.slice(start, start + rows * columns);
      start += rows * columns;
      return [parameter, values];
    }),
  );
}

describe('pruning', () => {
  it('removes exactly as many as asked, and masks only shrink, in every scope', () => {
    fc.assert(
      fc.property(problem, ({ matrices, scores, later, removed, scope }) => {
        const [first, second] = [...removed].sort((a, b) => a - b);
        const once = prune({ matrices, scope }, scores, everything(matrices), first ?? 0);
        expect(removedCount(once)).toBe(first);
        const twice = prune({ matrices, scope }, later, once, second ?? 0);
        expect(removedCount(twice)).toBe(second);
        for (const { parameter } of matrices) {
          twice[parameter]?.forEach((entry, i) => {
            expect(entry).toBeLessThanOrEqual(once[parameter]?.[i] ?? Number.NaN);
          });
        }
      }),
    );
  });

  it('takes the smallest of all: a plain sort says the same, ties in order of place', () => {
    fc.assert(
      fc.property(problem, ({ matrices, scores, removed: [count] }) => {
        const kept = prune({ matrices, scope: 'global' }, scores, everything(matrices), count);
        const ranked = matrices
          .flatMap(({ parameter }, order) =>
            (scores[parameter] ?? []).map((score, index) => ({ parameter, order, index, score })),
          )
          .sort((a, b) => a.score - b.score || a.order - b.order || a.index - b.index);
        ranked.forEach(({ parameter, index }, rank) => {
          expect(kept[parameter]?.[index]).toBe(rank < count ? 0 : 1);
        });
      }),
    );
  });

  it('takes the same share of every group, within one weight', () => {
    fc.assert(
      fc.property(problem, ({ matrices, scores, removed: [count], total }) => {
        const kept = prune({ matrices, scope: 'per-matrix' }, scores, everything(matrices), count);
        for (const { parameter } of matrices) {
          const entries = kept[parameter] ?? new Uint8Array();
          const gone = removedCount({ [parameter]: entries });
          expect(Math.abs(gone - (entries.length * count) / total)).toBeLessThan(1);
        }
      }),
    );
  });

  it('worked out by hand: per tower, each keeps its own largest', () => {
    const matrices = [matrix('vision.0.query', 1, 4), matrix('text.0.query', 1, 4)];
    const scores = { 'vision.0.query': [9, 7, 8, 6], 'text.0.query': [1, 4, 2, 3] };
    expect(prune({ matrices, scope: 'per-tower' }, scores, everything(matrices), 4)).toEqual({
      'vision.0.query': Uint8Array.of(1, 0, 1, 0),
      'text.0.query': Uint8Array.of(0, 1, 0, 1),
    });
    expect(prune({ matrices, scope: 'global' }, scores, everything(matrices), 4)).toEqual({
      'vision.0.query': Uint8Array.of(1, 1, 1, 1),
      'text.0.query': Uint8Array.of(0, 0, 0, 0),
    });
  });

  it('refuses scores that are missing or not numbers, and counts out of range', () => {
    const matrices = [matrix('vision.0.query', 1, 2)];
    const all = everything(matrices);
    expect(() => prune({ matrices, scope: 'global' }, {}, all, 1)).toThrow(/expected 2 scores/);
    expect(() => prune({ matrices, scope: 'global' }, { 'vision.0.query': [1, Number.NaN] }, all, 1)).toThrow(
      /weight 1 of vision.0.query is not a number/,
    );
    expect(() => prune({ matrices, scope: 'global' }, { 'vision.0.query': [1, 2] }, all, 3)).toThrow(
      /expected 0 to 2 entries to be gone, got 3/,
    );
  });
});

describe('apportioning', () => {
  it('gives every group its share, whatever it had lost before, as far as that allows', () => {
    // Behind by 2.5 and ahead by 1: nothing comes back, and what is left goes to the one behind.
    expect(
      apportion(
        [
          { size: 10, removed: 2 },
          { size: 10, removed: 6 },
        ],
        9,
      ),
    ).toEqual([3, 6]);
    expect(
      apportion(
        [
          { size: 3, removed: 0 },
          { size: 3, removed: 0 },
          { size: 3, removed: 0 },
        ],
        4,
      ),
    ).toEqual([2, 1, 1]);
    expect(() => apportion([{ size: 3, removed: 2 }], 1)).toThrow(RangeError);
  });
});
