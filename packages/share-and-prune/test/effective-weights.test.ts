import { tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type TensorTree, disposeTree, entriesOf, randomStream } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { columnParameters } from '../src/columns';
import { effectiveWeights } from '../src/effective-weights';
import { bySubLayer, layoutOf } from '../src/layout';
import { pairTowers } from '../src/pairing';
import { alignment } from '../src/regularizer';
import {
  type Choices,
  type Place,
  parametersOf,
  placesOf,
  present,
  randomChoices,
  resolvedVector,
  small,
  twoTowers,
} from './towers';

beforeAll(async () => {
  await startEngine('wasm');
});

const cases = fc.record({
  acrossTowers: fc.boolean(),
  baseLayers: fc.constantFrom<readonly number[]>([], [0], [0, 2]),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

const model = twoTowers(small);

interface Host {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
const hostOf = (tree: TensorTree): Map<string, Host> =>
  new Map(
    entriesOf(tree).map(([path, tensor]) => [
      path,
      { shape: tensor.shape, values: Float32Array.from(tensor.dataSync<'float32'>()) },
    ]),
  );

/** Column `column` of a parameter along an axis. */
function columnOf({ shape, values }: Host, axis: 0 | 1, column: number): number[] {
  const [rows = 1, columns = 1] = shape;
  if (shape.length === 1) return [values[column] ?? Number.NaN];
  if (axis === 0) return [...values.subarray(column * columns, (column + 1) * columns)];
  return Array.from({ length: rows }, (_, row) => values[row * columns + column] ?? Number.NaN);
}

const partOf = (path: string) => (/(query|key|value)\.\w+$/.exec(path) ?? [])[1] ?? 'hidden';
const indexOf = (place: string) => Number(place.split('.').at(-1));
const ownerOf = (place: string) => place.split('.').slice(0, 4).join('.');

describe('effective weights', () => {
  it('hold, column by column, what the pointers point at', () => {
    fc.assert(
      fc.property(cases, ({ seed, ...sharing }) => {
        const pairing = pairTowers(model, sharing);
        const choices: Choices = randomChoices(pairing, randomStream(seed, 'choices'));
        const places = placesOf(pairing, choices);
        const params = parametersOf(model, seed);
        tidy(() => {
          const vector = tensor1d(resolvedVector(choices, pairing));
          const before = hostOf(params);
          const after = hostOf(effectiveWeights(params, vector, layoutOf(pairing)));
          for (const subLayer of pairing.subLayers) {
            for (const { path, axis } of columnParameters(subLayer, pairing)) {
              const own: readonly Place[] = places.get(`${subLayer.id}.${partOf(path)}`) ?? [];
              own.forEach((place, column) => {
                const actual = columnOf(present(after.get(path)), axis, column);
                // Of a pruned hidden unit what reads it is zero; q and k are zero themselves.
                if (place === undefined && path.includes('.expand.')) return;
                const name = path.slice(subLayer.id.length);
                const expected =
                  place === undefined
                    ? actual.map(() => 0)
                    : columnOf(present(before.get(ownerOf(place) + name)), axis, indexOf(place));
                expect(actual.map((value) => value + 0)).toEqual(expected); // −0 is 0
              });
            }
          }
          // Whatever is no column of a sub-layer stays as it is.
          const touched = new Set(
            pairing.subLayers.flatMap((one) => columnParameters(one, pairing).map(({ path }) => path)),
          );
          for (const [path, { values }] of after) {
            if (!touched.has(path)) expect(values).toEqual(before.get(path)?.values);
          }
        });
        disposeTree(params);
      }),
      { numRuns: 60 },
    );
  });

  it('are pulled to by R_w: the sum of the distances and norms that the commit would take away', () => {
    fc.assert(
      fc.property(cases, ({ seed, ...sharing }) => {
        const pairing = pairTowers(model, sharing);
        const choices = randomChoices(pairing, randomStream(seed, 'choices'));
        const params = parametersOf(model, seed);
        const before = hostOf(params);
        const layout = layoutOf(pairing);
        const resolved = resolvedVector(choices, pairing);
        const structure = bySubLayer(resolved, layout, 1);
        let expected = 0;
        for (const subLayer of pairing.subLayers) {
          const { share = [] } = choices[subLayer.id] ?? {};
          const keep = [...(structure[subLayer.id]?.keep ?? [])];
          const parameters = columnParameters(subLayer, pairing);
          for (const { path, lent, axis, shareFrom } of parameters) {
            for (let column = 0; lent !== undefined && column < subLayer.columns; column++) {
              if (share[shareFrom + column] === 1) continue;
              const theirs = columnOf(present(before.get(lent)), axis, column);
              columnOf(present(before.get(path)), axis, column).forEach((value, i) => {
                expected += Math.abs(value - (theirs[i] ?? Number.NaN));
              });
            }
          }
          const layers = subLayer.structure === 'ffn' ? ['expand', 'contract'] : ['query', 'key'];
          for (const layer of layers) {
            const own = parameters.filter(({ path }) => path.startsWith(`${subLayer.id}.${layer}.`));
            for (let column = 0; column < subLayer.columns; column++) {
              if (keep[column] === 1) continue;
              const numbers = own.flatMap(({ path, axis }) =>
                columnOf(present(before.get(path)), axis, column),
              );
              expected += Math.hypot(...numbers);
            }
          }
        }
        const actual = tidy(() => alignment(params, resolved, layout).penalty.dataSync()[0]);
        expect(actual).toBeCloseTo(expected, 3);
        disposeTree([params]);
      }),
      { numRuns: 40 },
    );
  });
});
