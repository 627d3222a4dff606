import fc from 'fast-check';
import { type Measurement, type Outcomes, tablesOf } from '../src/index';

const place = { workload: 'w', track: 'equal-compute', method: 'm', isControl: false, budget: '2x' } as const;
const measured = (
  label: string,
  seed: number,
  score: number,
  more: Partial<Measurement> = {},
): Measurement => ({
  ...place,
  label,
  seed,
  learningRate: 1e-3,
  job: `${label}-${seed}`,
  metric: 'top1',
  testExamples: 10_000,
  masked: { top1: 0 },
  cut: { top1: score / 2 },
  retrained: { top1: score },
  trainingMacs: 10,
  wallMs: 1,
  ledger: [],
  parameters: 100,
  macs: 1000,
  bytes: 400,
  latencies: [],
  ...more,
});
const outcomes = (measurements: Measurement[], failures: Outcomes['failures'] = []): Outcomes => ({
  dense: [],
  measurements,
  failures,
});
const onlyTable = (given: Outcomes) => {
  const [table, ...others] = tablesOf(given, 0.95);
  if (table === undefined || others.length > 0) throw new Error('expected one table');
  return table;
};

const scored = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 })
  .chain((labels) =>
    fc.record({
      labels: fc.constant(labels),
      scores: fc.array(
        fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 3, maxLength: 3 }),
        {
          minLength: labels.length,
          maxLength: labels.length,
        },
      ),
    }),
  );

describe('ranks', () => {
  it('are none of two seeds, be their differences ever so equal', () => {
    const of = (seeds: number) =>
      onlyTable(
        outcomes(
          Array.from({ length: seeds }, (_, seed) => [
            measured('one', seed, 50 + seed),
            measured('other', seed, 20 + seed),
          ]).flat(),
        ),
      ).rows.map(({ places }) => places);
    expect(of(2)).toEqual([null, null]);
    expect(of(3)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
  it('are none where a few examples of a small test set make the difference', () => {
    const rows = (testExamples: number) =>
      onlyTable(
        outcomes(
          [1, 2, 3].flatMap((seed) => [
            measured('one', seed, 75, { testExamples }),
            measured('other', seed, 50, { testExamples }),
          ]),
        ),
      ).rows.map(({ places }) => places);
    expect(rows(8)).toEqual([null, null]);
    expect(rows(800)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
  it('put nobody before another unless the interval of the two excludes zero', () => {
    fc.assert(
      fc.property(scored, ({ labels, scores }) => {
        const { rows, comparisons } = onlyTable(
          outcomes(
            labels.flatMap((label, i) =>
              (scores[i] ?? []).map((score, seed) => measured(label, seed, score)),
            ),
          ),
        );
        for (const { first, second, verdict, difference } of comparisons) {
          const [low, high] = difference.interval ?? [0, 0];
          expect(verdict === 0).toBe(low <= 0 && high >= 0);
          const places = (label: string) => rows.find((row) => row.label === label)?.places ?? [0, 0];
          const [better, worse] = verdict === 1 ? [first, second] : [second, first];
          if (verdict !== 0) {
            expect(places(worse)[0]).toBeGreaterThan(1);
            expect(places(better)[1]).toBeLessThan(rows.length);
          }
        }
        const means = rows.map(({ score }) => score.mean);
        expect(means).toEqual([...means].sort((a, b) => b - a));
        for (const [row, { label, places }] of rows.entries()) {
          const own = comparisons.filter(({ first, second }) => [first, second].includes(label));
          const lost = own.filter(({ first, verdict }) => verdict === (first === label ? -1 : 1));
          const won = own.filter(({ verdict }) => verdict !== 0).length - lost.length;
          expect(places).toEqual(
            own.every(({ verdict }) => verdict === 0) ? null : [lost.length + 1, rows.length - won],
          );
          // The place by score is one of them: nobody stands where the intervals say that it does not belong.
          if (places !== null) {
            expect(row + 1).toBeGreaterThanOrEqual(places[0]);
            expect(row + 1).toBeLessThanOrEqual(places[1]);
          }
        }
      }),
    );
  });
  it('need more than one seed', () => {
    const { rows } = onlyTable(outcomes([measured('a', 1, 99), measured('b', 1, 1)]));
    expect(rows.map(({ places }) => places)).toEqual([null, null]);
  });
  it('follow differences that all seeds agree on, also where the seeds lie far apart', () => {
    const runs = [10, 50, 90].flatMap((base, seed) => [
      measured('better', seed, base + 5 + seed / 10),
      measured('worse', seed, base),
    ]);
    const { rows } = onlyTable(outcomes(runs));
    expect(rows.map(({ label, places }) => [label, places])).toEqual([
      ['better', [1, 1]],
      ['worse', [2, 2]],
    ]);
  });
});

describe('learning rates', () => {
  const trial = (learningRate: number, validation: number, score: number, seed = 1) =>
    measured('a', seed, score, { learningRate, validation: { top1: validation } });

  it('are chosen by validation scores, whatever the test scores say', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (a, b) => {
        fc.pre(a !== b);
        const { rows } = onlyTable(outcomes([trial(1e-3, a, b), trial(2e-3, b, a)]));
        expect(rows.map(({ learningRate }) => learningRate)).toEqual([a > b ? 1e-3 : 2e-3]);
      }),
    );
  });
  it('that failed for a seed stand behind those that did not', () => {
    const { rows } = onlyTable(outcomes([trial(1e-3, 99, 99), trial(2e-3, 1, 1), trial(2e-3, 1, 1, 2)]));
    expect(rows[0]).toMatchObject({ learningRate: 2e-3, score: { seeds: 2 } });
  });
});

test('failures stay in the table, and a point where all failed is a table too', () => {
  const point = { ...place, label: 'a', seed: 2, learningRate: 1e-3 };
  const failure = { workload: 'w', seed: 2, what: 'a', message: 'no', point };
  expect(onlyTable(outcomes([measured('a', 1, 5)], [failure])).rows[0]?.failed).toEqual([2]);
  expect(onlyTable(outcomes([], [failure]))).toMatchObject({ budget: '2x', rows: [] });
});

it('has a score after one epoch where every seed measured it, and a mean of no fewer seeds', () => {
  const of = (...known: (number | undefined)[]) =>
    onlyTable(
      outcomes(
        known.map((score, seed) =>
          measured('one', seed, 50, score === undefined ? {} : { afterOneEpoch: { top1: score } }),
        ),
      ),
    ).rows[0]?.afterOneEpoch;
  expect(of(40, 42)).toMatchObject({ seeds: 2, mean: 41 });
  expect(of(40, undefined)).toBeNull();
  expect(of(undefined)).toBeNull();
});
