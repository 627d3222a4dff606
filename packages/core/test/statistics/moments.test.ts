import { type Tensor2D, tensor1d, tensor2d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { availableEngines, startEngine } from '@winnow/engine';
import fc from 'fast-check';
import {
  type CountedRows,
  columnMoments,
  columnProducts,
  jointMoments,
  randomStream,
  withJointRows,
  withRows,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const [W, V] = [3, 2];

interface Rows {
  readonly x: readonly number[][];
  readonly y: readonly number[][];
  readonly counted: readonly number[];
}

/** Rows far from 0, where a sum of squares would leave nothing of their deviation. */
const drawn = (seed: number, sizes: readonly number[]): Rows[] => {
  const random = randomStream(seed, 'rows');
  const row = (width: number) => Array.from({ length: width }, () => 300 + random.normal());
  return sizes.map((size) => ({
    x: Array.from({ length: size }, () => row(W)),
    y: Array.from({ length: size }, () => row(V)),
    counted: Array.from({ length: size }, (_, index) => (index === 0 ? 1 : random.integer(2))),
  }));
};

const asRows = ({ x, counted }: Rows): CountedRows => ({
  values: tensor2d(x as number[][]),
  counted: tensor1d([...counted]),
});
const asTarget = ({ y }: Rows): Tensor2D => tensor2d(y as number[][]);

/** Σ (a − mean)(b − mean) over the counted rows, in double precision. */
function products(rows: readonly Rows[], a: (rows: Rows) => readonly number[][], b: typeof a): number[][] {
  const pairs = rows.flatMap((batch) =>
    batch.counted.flatMap((one, i) =>
      one === 1 ? [{ left: a(batch)[i] ?? [], right: b(batch)[i] ?? [] }] : [],
    ),
  );
  const mean = (of: readonly number[][]) =>
    (of[0] ?? []).map((_, k) => of.reduce((sum, row) => sum + (row[k] ?? 0), 0) / of.length);
  const [left, right] = [mean(pairs.map((pair) => pair.left)), mean(pairs.map((pair) => pair.right))];
  return left.map((m, i) =>
    right.map((n, j) =>
      pairs.reduce((sum, pair) => sum + ((pair.left[i] ?? 0) - m) * ((pair.right[j] ?? 0) - n), 0),
    ),
  );
}

function expectNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  Array.from(actual).forEach((value, i) =>
    expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(2e-2),
  );
}

describeOnEveryEngine('moments', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });

  it('are those of all counted rows together, however they come in batches', () => {
    fc.assert(
      fc.property(fc.nat(), sizes, (seed, sizes) => {
        tidy(() => {
          const batches = drawn(seed, sizes);
          const scatter = products(
            batches,
            ({ x }) => x,
            ({ x }) => x,
          );
          const columns = batches.map(asRows).reduce(withRows, columnMoments(W));
          expectNear(
            columns.squares.dataSync(),
            scatter.map((row, i) => row[i] ?? Number.NaN),
          );
          const joint = batches.reduce(
            (moments, batch) => withJointRows(moments, asRows(batch), asTarget(batch)),
            jointMoments(W, V),
          );
          expectNear(joint.scatter.dataSync(), scatter.flat());
          expectNear(
            joint.cross.dataSync(),
            products(
              batches,
              ({ x }) => x,
              ({ y }) => y,
            ).flat(),
          );
          const count = batches.flatMap(({ counted }) => counted).reduce((sum, one) => sum + one, 0);
          expect([...joint.count.dataSync(), ...columns.count.dataSync()]).toEqual([count, count]);
        });
      }),
      { numRuns: 20 },
    );
  });
});

const torch = (await availableEngines()).find(({ name }) => name === 'torch');
const describeOnTorch = torch?.available === true ? describe : describe.skip;
describeOnTorch('in bf16', () => {
  beforeAll(() => startEngine('torch', { precision: 'bf16' }));
  afterAll(() => startEngine('torch'));

  it('moments are those of float32: their products are not rounded', () => {
    tidy(() => {
      const rows = drawn(5, [64, 33]);
      const moments = rows.reduce(
        (before, each) => withJointRows(before, asRows(each), asTarget(each)),
        jointMoments(W, V),
      );
      expectNear(
        moments.scatter.dataSync(),
        products(
          rows,
          ({ x }) => x,
          ({ x }) => x,
        ).flat(),
      );
      expectNear(
        moments.cross.dataSync(),
        products(
          rows,
          ({ x }) => x,
          ({ y }) => y,
        ).flat(),
      );
    });
  });

  it('columnProducts keeps what bf16 would round, also of a batch of matrices', () => {
    tidy(() => {
      // 257 and 2⁻⁹ beside 1 have no place in eight bits.
      const x = tensor2d([[257, 1 + 2 ** -9]]);
      expect([...columnProducts(x, x).dataSync()]).toEqual([
        66_049,
        257 * (1 + 2 ** -9),
        257 * (1 + 2 ** -9),
        Math.fround((1 + 2 ** -9) ** 2),
      ]);
      const batch = tensor3d([[[257]], [[3]]]);
      expect([...columnProducts(batch, batch).dataSync()]).toEqual([66_049, 9]);
    });
  });
});
