import { tensor2d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { mergePlan, randomStream } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

interface Case {
  readonly batch: number;
  readonly tokens: number;
  readonly leading: number;
  readonly removed: number;
  readonly seed: number;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    leading: fc.integer({ min: 0, max: 5 }),
    others: fc.integer({ min: 2, max: 12 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(1e6),
  })
  .map(({ leading, others, share, ...drawn }) => ({
    ...{ ...drawn, leading, tokens: leading + others },
    removed: Math.round(share * Math.floor(others / 2)),
  }));

const WIDTH = 4;

/** Small whole numbers, of which many pairs of tokens are equally alike. */
const metricOf = ({ batch, tokens, seed }: Case): number[][] => {
  const random = randomStream(seed, 'metric');
  return Array.from({ length: batch * tokens }, () =>
    Array.from({ length: WIDTH }, () => random.integer(3) - 1),
  );
};

/** As on paper, one sequence at a time: where each token goes. */
function plainPlan(
  metric: readonly (readonly number[])[],
  { leading, removed }: Pick<Case, 'leading' | 'removed'>,
): number[] {
  const cosine = (a: readonly number[], b: readonly number[]) =>
    Math.fround(
      a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0) /
        Math.max(1e-12, Math.hypot(...a) * Math.hypot(...b)),
    );
  const all = metric.map((_, token) => token);
  const targets = all.filter((token) => token % 2 === 1 && token >= leading);
  const found = all
    .filter((token) => token % 2 === 0 && token >= leading)
    .map((token) => {
      const alike = targets.map((target) => cosine(metric[token] ?? [], metric[target] ?? []));
      // Rounding must not decide between what is equally alike.
      const most = Math.max(...alike) - 1e-5;
      const place = alike.findIndex((each) => each >= most);
      return { token, target: targets[place] ?? -1, similarity: Math.round((alike[place] ?? 0) * 1e4) };
    });
  const merged = found.toSorted((a, b) => b.similarity - a.similarity || a.token - b.token).slice(0, removed);
  const into = new Map(merged.map(({ token, target }) => [token, target]));
  const left = [
    ...all.filter((token) => token < leading),
    ...found.map(({ token }) => token).filter((token) => !into.has(token)),
    ...targets,
  ];
  return all.map((token) => left.indexOf(into.get(token) ?? token));
}

describeOnEveryEngine('the plan of a merge', () => {
  const planOf = (metric: readonly (readonly number[])[], shape: Case) =>
    tidy(() => [...mergePlan(tensor2d(metric.flat(), [metric.length, WIDTH]), shape).dataSync()]);

  it('is the one on paper, in which the first of equal ones counts, whatever else is in the batch', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { batch, tokens, removed } = drawn;
        const metric = metricOf(drawn);
        const expected = Array.from({ length: batch }, (_, sequence) =>
          plainPlan(metric.slice(sequence * tokens, (sequence + 1) * tokens), drawn).map(
            (place) => sequence * (tokens - removed) + place,
          ),
        ).flat();
        expect(planOf(metric, drawn)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves leading tokens where they are and every place to at least one token', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { tokens, leading, removed } = drawn;
        const plan = planOf(metricOf({ ...drawn, batch: 1 }), { ...drawn, batch: 1 });
        expect(plan.slice(0, leading)).toEqual(Array.from({ length: leading }, (_, token) => token));
        expect(plan.filter((place) => place < leading)).toHaveLength(leading);
        expect(new Set(plan)).toEqual(new Set(Array.from({ length: tokens - removed }, (_, place) => place)));
      }),
      { numRuns: 30 },
    );
  });
});
