import fc from 'fast-check';
import {
  type Measurement,
  type Outcomes,
  denseRowsOf,
  frontOf,
  recommendationsOf,
  tablesOf,
  wordsOf,
} from '../src/index';

const seeds = [1, 2, 3];
const size = { parameters: 500, macs: 5000, bytes: 2000 };
const common = { workload: 'photos', metric: 'top1', testExamples: 10_000, trainingMacs: 1, ledger: [] };
const latencies = (p50Ms: number) => [
  { batchSize: 1, p50Ms: 2, p95Ms: 3 },
  { batchSize: 32, p50Ms, p95Ms: 2 * p50Ms },
];

/** A contender with a score for each seed. */
interface Entrant {
  readonly label: string;
  readonly scores: readonly number[];
  readonly more?: Partial<Measurement>;
}

const runsOf = ({ label, scores, more = {} }: Entrant): Measurement[] =>
  scores.map((score, place) => ({
    ...common,
    ...size,
    track: 'equal-compute',
    label,
    method: 'm',
    isControl: false,
    budget: '2x',
    seed: place + 1,
    learningRate: 1e-3,
    job: `${label}-${place}`,
    masked: { top1: 0 },
    cut: { top1: 0 },
    retrained: { top1: score },
    wallMs: 1,
    latencies: latencies(10),
    ...more,
  }));

const outcomesOf = (entrants: readonly Entrant[]): Outcomes => ({
  dense: seeds.map((seed) => ({
    ...common,
    job: `dense-${seed}`,
    seed,
    scores: { top1: 88.6 },
    parameters: 1000,
    macs: 10_000,
    bytes: 3800,
    latencies: latencies(18),
  })),
  measurements: entrants.flatMap(runsOf),
  failures: [],
});

const adviceOn = (entrants: readonly Entrant[]) => {
  const outcomes = outcomesOf(entrants);
  return recommendationsOf(tablesOf(outcomes, 0.95), denseRowsOf(outcomes));
};
const only = (entrants: readonly Entrant[]) => {
  const [found, ...more] = adviceOn(entrants);
  if (found === undefined || more.length > 0) throw new Error('expected one recommendation');
  return found;
};
const said = (entrants: readonly Entrant[]) => {
  const { advice, reasons } = wordsOf(only(entrants), {
    confidence: 0.95,
    budgetUnit: 'compressible-parameters',
  });
  return [advice, ...reasons].join('\n');
};

const upop = { label: 'UPop', scores: [87.5, 87.9, 88.3] };
const close = { label: 'unified', scores: [88.1, 87.5, 87.8] };
const random = { label: 'random', scores: [61, 61.5, 61.2], more: { isControl: true } };
const scratch = {
  label: 'small, from scratch',
  scores: [48.2, 48, 48.4],
  more: { isControl: true, startsAnew: true },
} as const;
const trainedOn = {
  label: 'dense, trained on',
  scores: [89, 89.1, 89.2],
  more: { isControl: true, parameters: 1000, macs: 10_000, bytes: 3800 },
};

describe('a recommendation', () => {
  it('says what to take, against what, how much smaller and how much faster', () => {
    expect(said([random, upop, scratch, trainedOn])).toBe(
      [
        'To halve the model (2×), take UPop: 87.9 ± 0.4 % right against 88.6 of the full model, a file 1.9× smaller, 1.8× faster (32 pictures at a time).',
        'It is better than all others of this size beyond doubt.',
        'The best that it beats, random, is 26.7 points (25.7 to 27.6, 95 % sure) behind.',
        'A small model from scratch, trained for as long as all of this together, comes to 48.2 ± 0.2 % right: making the trained model smaller is worth 39.7 points (38.7 to 40.7, 95 % sure).',
      ].join('\n'),
    );
  });
  it('names those that cannot be told apart, and takes the faster one of them', () => {
    expect(only([upop, close, random])).toMatchObject({ evidence: 'tied', preference: 'score' });
    expect(said([upop, close, random])).toMatch(
      /take UPop:.*\nIt cannot be told apart from unified: .* On average it is the best/,
    );
    const faster = { ...close, more: { latencies: latencies(8) } };
    expect(said([upop, faster, random])).toMatch(
      /take unified: .* 2\.3× faster .*\nIt cannot be told apart from UPop: .* Of these it is the fastest\./,
    );
    // Faster by less than a latency's noise, or no longer as good.
    expect(only([upop, { ...close, more: { latencies: latencies(9.8) } }]).row.label).toBe('UPop');
    const worse = { label: 'unified', scores: [84, 90, 86], more: { latencies: latencies(5) } };
    expect(only([upop, worse]).row.label).toBe('UPop');
  });
  it('says that few repetitions make nothing certain, and takes the best mean of them', () => {
    const cut = (entrant: Entrant) => ({ ...entrant, scores: entrant.scores.slice(0, 2) });
    const faster = { ...cut(close), more: { latencies: latencies(1) } };
    expect(said([cut(random), cut(upop), faster].map(cut))).toMatch(
      /take unified: 87\.8 ± 0\.4 .*\nWith 2 repetitions nothing is certain: UPop \(87\.7\) and random \(61\.3\) may be as good\./,
    );
    expect(said([{ ...upop, scores: [87] }, random])).toMatch(/With one repetition nothing is certain/);
    expect(said([upop])).toMatch(/Nothing else of this size was tried/);
  });
  it('says so where a small model from scratch is the better choice', () => {
    const good = { ...scratch, scores: [90, 90.1, 90.2] };
    expect(said([upop, good, trainedOn])).toMatch(
      /^To halve the model \(2×\), train a small one from scratch: 90\.1 .*\nIt is better than all others .*\nMaking the trained model smaller does not pay here: the best way, UPop, is 2\.2 points .* behind/,
    );
  });
  it('says so where a yardstick is', () => {
    expect(said([{ ...random, scores: [90, 90.1, 90.2] }, upop])).toMatch(
      /random is only there as a yardstick/,
    );
  });
  it('sets names of several words apart from the sentence', () => {
    expect(said([{ ...upop, label: 'UPop, distilled' }, close])).toMatch(/, take “UPop, distilled”: 87\.9 /);
  });
  it('has words for every size', () => {
    const at = (budget: string) => said([{ ...upop, more: { budget } }]);
    expect(at('4x')).toMatch(/^To bring the model down to a quarter \(4×\), take/);
    expect(at('50%')).toMatch(/^To halve the model \(2×\)/);
    expect(at('7x')).toMatch(/^To make the model 7 times smaller/);
    expect(at('0.5415')).toMatch(/^To keep 54\.1 % of the model/);
    expect(at('much')).toMatch(/^For the size much/);
  });
  it('is one for each workload and budget, by the first track that has it', () => {
    const other = { ...upop, more: { track: 'recommended', budget: '4x' } } as const;
    const again = { ...close, more: { track: 'recommended' } } as const;
    expect(
      adviceOn([upop, again, other]).map(({ budget, track, row }) => [budget, track, row.label]),
    ).toEqual([
      ['2x', 'equal-compute', 'UPop'],
      ['4x', 'recommended', 'UPop'],
    ]);
  });

  const entrants = fc
    .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 })
    .chain((labels) =>
      fc.tuple(
        ...labels.map((label) =>
          fc.record({
            label: fc.constant(label),
            scores: fc.array(fc.double({ min: 50, max: 60, noNaN: true }), { minLength: 3, maxLength: 3 }),
            more: fc.record({
              latencies: fc.integer({ min: 5, max: 15 }).map(latencies),
              parameters: fc.constantFrom(500, 1000),
              bytes: fc.constantFrom(2000, 3800),
            }),
          }),
        ),
      ),
    );

  it('is never one that another is better than beyond doubt, and costs half a point at most', () => {
    fc.assert(
      fc.property(entrants, (given) => {
        const outcomes = outcomesOf(given);
        const tables = tablesOf(outcomes, 0.95);
        const dense = denseRowsOf(outcomes);
        const [found] = recommendationsOf(tables, dense);
        const [table] = tables;
        const smaller = (table?.rows ?? []).filter(
          ({ parameters, bytes }) => parameters.mean < 1000 || bytes.mean < 3800,
        );
        expect(found === undefined).toBe(smaller.length === 0);
        if (found === undefined) return;
        const labels = smaller.map(({ label }) => label);
        expect(labels).toContain(found.row.label);
        const losers = (table?.comparisons ?? []).flatMap(({ first, second, verdict }) =>
          verdict === 0 || !labels.includes(first) || !labels.includes(second)
            ? []
            : [verdict === 1 ? second : first],
        );
        expect(losers).not.toContain(found.row.label);
        const unbeaten = smaller.filter(({ label }) => !losers.includes(label));
        const best = Math.max(...unbeaten.map(({ score }) => score.mean));
        expect(best - found.row.score.mean).toBeLessThanOrEqual(0.5);
        expect(found.tied.length + (found.next === undefined ? 0 : 1)).toBeLessThanOrEqual(labels.length - 1);
        // Whoever is named as worse is so in numbers too.
        expect(found.next?.difference?.mean ?? 1).toBeGreaterThan(0);
        const turned = outcomesOf([...given].reverse());
        expect(recommendationsOf(tablesOf(turned, 0.95), denseRowsOf(turned))[0]?.row.score.mean).toBeCloseTo(
          found.row.score.mean,
          10,
        );
      }),
    );
  });
  it('is in words without gaps that need no paper', () => {
    fc.assert(
      fc.property(entrants, (given) => {
        if (adviceOn(given).length === 0) return;
        const text = said(given);
        expect(text).not.toMatch(/undefined|NaN|null|Infinity/);
        expect(text).not.toMatch(
          /\b(?:MACs|Pareto|top-?1|retrain|seed|budget|track|workload|dense|parameters|baseline)/i,
        );
      }),
    );
  });
});

describe('the front', () => {
  const points = fc.array(
    fc.record({ score: fc.integer({ min: 0, max: 9 }), cost: fc.integer({ min: 0, max: 9 }) }),
  );
  interface Point {
    readonly score: number;
    readonly cost: number;
  }
  const axes = { score: ({ score }: Point) => score, cost: ({ cost }: Point) => cost };
  const beats = (one: Point, other: Point) =>
    one.score >= other.score && one.cost <= other.cost && (one.score > other.score || one.cost < other.cost);

  it('has those that nobody beats, and somebody who beats each of the rest', () => {
    fc.assert(
      fc.property(points, (items) => {
        const front = frontOf<Point>(items, axes);
        for (const item of items) {
          const isOnIt = front.includes(item);
          expect(isOnIt).toBe(!items.some((other) => beats(other, item)));
          if (!isOnIt) expect(front.some((other) => beats(other, item))).toBe(true);
        }
      }),
    );
  });
});
