import { memory } from '@tensorflow/tfjs-core';
import { disposeTree, entriesOf } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { tinyModel } from '@winnow/testkit';
import { smallnessOf } from '../src/magnitude';

beforeAll(() => startEngine('wasm'));

it('the norm of a unit is that of everything it owns', () => {
  const { model, params } = tinyModel();
  const host = new Map(
    entriesOf(params).map(([path, leaf]) => [path, { shape: leaf.shape, values: leaf.dataSync() }]),
  );
  const before = memory().numTensors;
  const smallness = smallnessOf(model.sites, params);
  expect(memory().numTensors).toBe(before);
  for (const site of model.sites) {
    for (let unit = 0; unit < site.units; unit++) {
      let squares = 0;
      for (const { parameter, axis, copies } of site.couplings) {
        const found = host.get(parameter);
        const [rows = 0, columns = 1] =
          found?.shape.length === 1 ? [found.shape[0] ?? 0, 1] : (found?.shape ?? []);
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const along = axis === 0 ? row : column;
            const owned = Array.from({ length: copies }, (_, copy) => copy * site.units + unit).includes(
              along,
            );
            if (owned) squares += (found?.values[row * columns + column] ?? 0) ** 2;
          }
        }
      }
      expect(smallness[site.id]?.[unit]).toBeCloseTo(-Math.sqrt(squares), 4);
    }
  }
  disposeTree(params);
});
