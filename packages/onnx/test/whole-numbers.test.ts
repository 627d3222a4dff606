import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParameterSpec, entriesOf, modelOf, pathOfUse, runningOf, sharedRows } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { InferenceSession } from 'onnxruntime-node';
import { decodeModel } from '../src/file/decode';
import { encodeGraph, modelParts, partGraph, quantizeGraph, rangeBetween } from '../src/index';
import { takenFrom } from '../src/quantize/held-matrix';
import { tied } from './families';
import { randomParameters } from './parity';

const folder = mkdtempSync(join(tmpdir(), 'winnow-whole-'));
beforeAll(async () => {
  await startEngine('wasm');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Two blocks with as many rows, or as many columns, and where theirs go. */
const blocks = (axis: 0 | 1) =>
  fc
    .record({
      across: fc.integer({ min: 1, max: 4 }),
      own: fc.integer({ min: 1, max: 4 }),
      other: fc.integer({ min: 1, max: 4 }),
    })
    .chain(({ across, own, other }) => {
      const block = (extent: number, first: number) => ({
        columns: axis === 1 ? extent : across,
        values: Array.from({ length: extent * across }, (_, at) => first + at),
      });
      const place = fc.integer({ min: 0, max: own + other - 1 });
      return fc.record({
        across: fc.constant(across),
        pair: fc.constant([block(own, 0), block(other, 1000)] as const),
        places: fc.array(place, { minLength: 1, maxLength: 6 }),
      });
    });

/** The entry at a column or row of blocks side by side. */
function entryAt(
  pair: readonly { readonly columns: number; readonly values: readonly number[] }[],
  axis: 0 | 1,
  place: number,
  across: number,
) {
  let left = place;
  for (const { columns, values } of pair) {
    const extent = axis === 1 ? columns : values.length / columns;
    if (left < extent) return values[axis === 1 ? across * columns + left : left * columns + across];
    left -= extent;
  }
  return undefined;
}

test.each([0, 1] as const)('along axis %s, what is taken stands where it is said to', (axis) => {
  fc.assert(
    fc.property(blocks(axis), ({ across, pair, places }) => {
      const found = takenFrom(pair, { axis, places });
      const columns = axis === 1 ? places.length : across;
      expect(found).toHaveLength(places.length * across);
      found.forEach((value, at) => {
        const [row, column] = [Math.floor(at / columns), at % columns];
        const [place, other] = axis === 1 ? [places[column], row] : [places[row], column];
        expect(value).toBe(entryAt(pair, axis, place ?? -1, other));
      });
    }),
  );
});

test('ONNX Runtime makes every product with a matrix in whole numbers, of shared columns too, which are stored once', async () => {
  const model = modelOf(tied);
  const parameters = randomParameters(model);
  const [part] = modelParts(model);
  if (part === undefined) throw new Error('expected a part');
  const graph = partGraph(part);
  const matrices = new Map(
    entriesOf<ParameterSpec>(runningOf(model).model.specs).flatMap(
      ([
        path,
        {
          shape: [rows = 0, ...columns],
        },
      ]) => (columns.length === 1 ? [[path.replace(/\.weight$/, ''), rows] as const] : []),
    ),
  );
  const maps = graph.nodes.flatMap(({ operator, name }) =>
    operator === 'MatMul' && matrices.has(pathOfUse(name)) ? [name] : [],
  );
  const calibrated = new Map(
    maps.map((name) => [
      name,
      { range: rangeBetween(-4, 4), means: new Float32Array(matrices.get(name) ?? 0) },
    ]),
  );
  const read = (path: string) => {
    const found = parameters.get(path);
    return found === undefined ? Promise.reject(new Error(path)) : Promise.resolve(found);
  };
  const groups = sharedRows(runningOf(model).model, tied.ties ?? {});
  const whole = await quantizeGraph(graph, calibrated, read, groups);
  const bytes = await encodeGraph(whole, read, { producerVersion: '0', metadata: {} });
  const optimizedModelFilePath = join(folder, 'optimised.onnx');
  await InferenceSession.create(bytes, {
    optimizedModelFilePath,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const operators =
    decodeModel(readFileSync(optimizedModelFilePath)).graph?.node.map(({ opType }) => opType) ?? [];
  expect(operators.filter((own) => own === 'QGemm')).toHaveLength(maps.length);
  expect(operators.filter((own) => own === 'Gemm' || own === 'DequantizeLinear')).toEqual([]);
  const stored = entriesOf<ParameterSpec>(model.specs).filter(([path]) =>
    calibrated.has(path.replace(/\.weight$/, '')),
  );
  expect(stored.map(([path]) => path)).toContain('blocks.1.attention.query.weight');
  const held = new Map(whole.initializers.map((own) => [own.name, own]));
  for (const [path, { shape }] of stored) expect(held.get(path)).toMatchObject({ type: 'int8', shape });
});

test('matrices whose rows stand in one are one group, and others are in none', () => {
  const groups = sharedRows(runningOf(modelOf(tied)).model, tied.ties ?? {});
  expect(groups.map((group) => [...group].sort())).toEqual([
    ['blocks.0.ffn.contract.weight', 'blocks.1.ffn.contract.weight'],
  ]);
});
