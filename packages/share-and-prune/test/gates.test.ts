import {
  type Rank,
  type Scalar,
  type Tensor,
  type Tensor1D,
  add,
  grad,
  mul,
  reshape,
  sigmoid,
  slice,
  sub,
  sum,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import { randomStream } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { addStoredGradient, storedParameters } from '../src/count';
import { drawStructure, gumbelNoise } from '../src/gates';
import { type Layout, layoutOf } from '../src/layout';
import { resolveConflicts, resolveGradient } from '../src/structure';
import { paired, small } from './towers';

beforeAll(async () => {
  await startEngine('wasm');
});

const cases = fc.record({
  sharing: fc.record({
    acrossTowers: fc.boolean(),
    baseLayers: fc.constantFrom<readonly number[]>([], [0], [0, 2]),
  }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

/** Eq. 6 and 7 and P as formulas of tensors, sub-layer by sub-layer. */
function composed(vector: Tensor1D, { places }: Layout): { keeps: Tensor1D[]; stored: Scalar } {
  const part = (from: number | undefined, columns: number): Tensor1D =>
    from === undefined ? tensor1d(new Float32Array(columns).fill(1)) : slice(vector, from, columns);
  const own = new Map(
    places.map(({ subLayer: { id, structure, columns }, shareFrom }) => {
      const first = part(shareFrom, columns);
      if (structure === 'ffn') return [id, first] as const;
      return [
        id,
        mul<Tensor1D>(first, part(shareFrom === undefined ? undefined : shareFrom + columns, columns)),
      ];
    }),
  );
  const keeps: Tensor1D[] = [];
  const counts = places.map(({ subLayer: { id, structure, columns, embedDim: D }, shareFrom, keepFrom }) => {
    const sharers = places.filter(({ subLayer }) => subLayer.id === id || subLayer.lender === id);
    const pruned = sharers.reduce(
      (product, { subLayer }) => mul<Tensor1D>(product, own.get(subLayer.id) ?? product),
      sub<Tensor1D>(1, slice(vector, keepFrom, columns)),
    );
    const keep = sub<Tensor1D>(1, pruned);
    keeps.push(keep);
    const share = (index: number) =>
      part(shareFrom === undefined ? undefined : shareFrom + index * columns, columns);
    if (structure === 'ffn') return mul<Scalar>(sum(mul(keep, share(0))), 2 * D + 1);
    const columnsOfUnit = add(mul(keep, add(share(0), share(1))), share(2));
    return add<Scalar>(mul(sum(columnsOfUnit), D + 1), columns * D);
  });
  return { keeps, stored: counts.reduce((total, count) => add<Scalar>(total, count)) };
}

/** Computes the gradient of a function of one vector, at these values. */
const gradientAt = (values: Float32Array, f: (x: Tensor1D) => Scalar): ArrayLike<number> =>
  grad((x: Tensor) => f(reshape<Rank.R1>(x, [-1])))(tensor1d(values)).dataSync<'float32'>();

const random = (size: number, seed: number, label: string) => {
  const stream = randomStream(seed, label);
  return Float32Array.from({ length: size }, () => stream.uniform());
};
const farthest = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length);
  return Math.max(
    ...Array.from(actual, (value, i) => {
      const wanted = expected[i] ?? Number.NaN;
      return Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
    }),
  );
};

describe('structures in host memory', () => {
  it('are resolved and counted as the formulas say, between 0 and 1 too, and so are their gradients', () => {
    fc.assert(
      fc.property(cases, ({ sharing, seed }) => {
        const layout = layoutOf(paired(small, sharing));
        const entries = random(layout.size, seed, 'entries');
        const weights = random(layout.size, seed, 'weights');
        const resolved = resolveConflicts(entries, layout);
        const gradient = weights.slice();
        addStoredGradient(gradient, resolved, 0.01, layout);
        const found = resolveGradient(entries, gradient, layout);
        tidy(() => {
          const expected = gradientAt(entries, (vector) => {
            const { keeps, stored } = composed(vector, layout);
            const shares = sum<Scalar>(mul(vector, tensor1d(weights)));
            const changed = layout.places.map(({ keepFrom, subLayer: { columns } }, index) => {
              const keep = keeps[index] ?? vector;
              const before: Tensor1D = slice(vector, keepFrom, columns);
              return sum<Scalar>(
                mul(sub(keep, before), tensor1d(weights.slice(keepFrom, keepFrom + columns))),
              );
            });
            return [shares, ...changed].reduce(
              (total, each) => add<Scalar>(total, each),
              mul<Scalar>(stored, 0.01),
            );
          });
          expect(farthest(found, expected)).toBeLessThan(1e-4);
          const { keeps, stored } = composed(tensor1d(entries), layout);
          layout.places.forEach(({ keepFrom, subLayer: { columns } }, index) => {
            const keep = resolved.slice(keepFrom, keepFrom + columns);
            expect(farthest(keep, keeps[index]?.dataSync() ?? [])).toBeLessThan(1e-5);
          });
          expect(farthest([storedParameters(resolved, layout)], stored.dataSync())).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('are drawn with the gradient of the sigmoid, through conflicts and the count', () => {
    fc.assert(
      fc.property(cases, ({ sharing, seed }) => {
        const layout = layoutOf(paired(small, sharing));
        const temperature = 0.4;
        const confidences = random(layout.size, seed, 'confidences').map((value) => 4 * value - 2);
        const noise = gumbelNoise(layout.size, randomStream(seed, 'noise'));
        const weights = random(layout.size + 1, seed, 'weights').map((value) => value - 0.5);
        const y = (o: Tensor1D) => sigmoid(mul<Tensor1D>(add(o, tensor1d(noise)), 1 / temperature));
        tidy(() => {
          const found = gradientAt(confidences, (o) => {
            const { vector, stored } = drawStructure(o, noise, { layout, temperature });
            return add<Scalar>(sum(mul(vector, tensor1d(weights))), mul(stored, 0.1));
          });
          const hard = confidences.map((o, entry) => (o + (noise[entry] ?? 0) > 0 ? 1 : 0));
          const gradient = weights.slice(0, layout.size);
          addStoredGradient(
            gradient,
            resolveConflicts(hard, layout),
            (weights[layout.size] ?? 0) + 0.1,
            layout,
          );
          const ofGates = resolveGradient(hard, gradient, layout);
          const straight = gradientAt(confidences, (o) => sum(mul(y(o), tensor1d(ofGates))));
          expect(farthest(found, straight)).toBeLessThan(1e-4);
        });
      }),
      { numRuns: 40 },
    );
  });
});
