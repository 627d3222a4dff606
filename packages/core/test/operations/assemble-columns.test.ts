import { type Tensor, grads, memory, mul, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { assembleColumns, columnOrigins } from '../../src/operations/assemble-columns';
import { type RandomStream, permutation, randomStream } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const ROWS = 5;

interface Assembly {
  readonly axis: 0 | 1;
  readonly rank: 1 | 2;
  readonly counts: readonly number[];
  readonly places: readonly number[];
}

/** Some of all columns in random order, and blanks among them. */
function drawn(random: RandomStream, axis: 0 | 1, rank: 1 | 2): Assembly {
  const counts = Array.from({ length: 1 + random.integer(3) }, () => 1 + random.integer(40));
  const total = counts.reduce((all, count) => all + count);
  const kept = [...permutation(total, random)].slice(0, 1 + random.integer(total));
  return {
    axis,
    rank,
    counts,
    places: kept.flatMap((place) => (random.uniform() < 0.2 ? [-1, place] : [place])),
  };
}

const shapeOf = ({ axis, rank }: Assembly, columns: number): number[] =>
  rank === 1 ? [columns] : axis === 0 ? [columns, ROWS] : [ROWS, columns];

/** The numbers of one column. */
const columnOf = (x: Tensor, { axis, rank }: Assembly, column: number): number[] => {
  if (column < 0) return Array.from({ length: rank === 1 ? 1 : ROWS }, () => 0);
  const values = [...x.dataSync()];
  const columns = x.shape[axis] ?? 0;
  if (rank === 1) return values.slice(column, column + 1);
  return Array.from(
    { length: ROWS },
    (_, row) => values[axis === 0 ? column * ROWS + row : row * columns + column] ?? 0,
  );
};

const places: readonly [0 | 1, 1 | 2][] = [
  [0, 1],
  [0, 2],
  [1, 2],
];

describeOnEveryEngine('columns put together', () => {
  it.each(places)(
    'along axis %d of %d are those of their sources, and give their gradients back',
    (axis, rank) => {
      const random = randomStream(3, 'columns', axis, rank);
      for (let round = 0; round < 20; round++) {
        const assembly = drawn(random, axis, rank);
        const { counts } = assembly;
        const before = memory().numTensors;
        tidy(() => {
          const normal = (columns: number) => {
            const shape = shapeOf(assembly, columns);
            const size = shape.reduce((all, extent) => all * extent);
            return tensor(
              Array.from({ length: size }, () => random.normal()),
              shape,
            );
          };
          const sources = counts.map(normal);
          const weights = normal(assembly.places.length);
          const origins = columnOrigins(assembly.places, counts);
          const owners = counts.flatMap((count, source) =>
            Array.from({ length: count }, (_, own) => ({ source, own })),
          );

          const whole = assembleColumns(sources, origins, axis);
          expect(whole.shape).toEqual(weights.shape);
          const expected = assembly.places.map((place) => {
            const from = owners[place];
            const source = from === undefined ? undefined : sources[from.source];
            return columnOf(source ?? whole, assembly, source === undefined ? -1 : (from?.own ?? -1));
          });
          expect(assembly.places.map((_, column) => columnOf(whole, assembly, column))).toEqual(expected);

          const gradients = grads((...inputs: Tensor[]) =>
            sum(mul(assembleColumns(inputs, origins, axis), weights)),
          )(sources);
          const found = owners.map(({ source, own }) => columnOf(gradients[source] ?? whole, assembly, own));
          expect(found).toEqual(
            owners.map((_, place) => columnOf(weights, assembly, assembly.places.indexOf(place))),
          );
        });
        expect(memory().numTensors).toBe(before);
      }
    },
  );
});
