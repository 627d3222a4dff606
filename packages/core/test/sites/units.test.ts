import { type Tensor, sum, tidy } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { disposeTree, dualEncoder, entriesOf, unitRows, unitSums } from '../../src/index';
import { perturbedParams } from '../model/random-model';
import { smallDualEncoders } from '../model/random-towers';

beforeAll(() => startEngine('wasm'));

it('unitSums and unitRows see every entry of the couplings once, of the role that is asked for', () => {
  fc.assert(
    fc.property(smallDualEncoders, fc.nat(1000), (config, seed) => {
      const model = dualEncoder(config);
      const params = perturbedParams(model, seed);
      const leaves = new Map(entriesOf<Tensor>(params).map(([path, leaf]) => [path, leaf.arraySync()]));
      for (const site of model.sites) {
        for (const role of [undefined, 'producer', 'consumer'] as const) {
          const [sums, rows] = tidy(() => {
            const own = unitRows(site, params, role);
            return [
              unitSums(site, params, role).dataSync(),
              { width: own.shape[1], sums: sum(own, 1).dataSync() },
            ] as const;
          });
          let width = 0;
          const expected = new Float64Array(site.units);
          for (const { parameter, axis, copies, role: own } of site.couplings) {
            if (role !== undefined && own !== role) continue;
            const found = leaves.get(parameter) as number[] | number[][];
            const matrix = found.map((row) => (Array.isArray(row) ? row : [row]));
            const along = found.every((row) => !Array.isArray(row)) ? 0 : axis;
            width += copies * (along === 0 ? (matrix[0]?.length ?? 0) : matrix.length);
            matrix.forEach((row, i) => {
              row.forEach((value, j) => {
                const unit = (along === 0 ? i : j) % site.units;
                expected[unit] = (expected[unit] ?? 0) + value;
              });
            });
          }
          expect(rows.width).toBe(width);
          for (let unit = 0; unit < site.units; unit++) {
            expect(sums[unit]).toBeCloseTo(expected[unit] ?? NaN, 3);
            expect(rows.sums[unit]).toBeCloseTo(expected[unit] ?? NaN, 3);
          }
        }
      }
      disposeTree(params);
    }),
    { numRuns: 8 },
  );
});

it('names the parameter that a tree lacks', () => {
  const site = {
    id: 'ffn',
    units: 2,
    couplings: [{ parameter: 'expand.weight', part: 'expand', axis: 1, copies: 1, role: 'producer' }],
  } as const;
  expect(() => unitSums(site, {})).toThrow(/no parameter expand\.weight/);
  expect(() => unitRows(site, {}, 'consumer')).toThrow(/ffn has no consumer parameters/);
});
