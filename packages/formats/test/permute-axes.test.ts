import fc from 'fast-check';
import { permuteAxes } from '../src/layouts/permute-axes';

const extents = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 });
const permutations = extents.chain((shape) =>
  fc
    .shuffledSubarray(
      shape.map((_, axis) => axis),
      { minLength: shape.length },
    )
    .map((axes) => ({ shape, axes })),
);

/** Where the value at `place` lies among row-major values of this shape. */
const offsetOf = (shape: readonly number[], place: readonly number[]): number =>
  shape.reduce((offset, extent, axis) => offset * extent + (place[axis] ?? 0), 0);

const placesIn = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (places, extent) => places.flatMap((place) => Array.from({ length: extent }, (_, i) => [...place, i])),
    [[]],
  );

it('puts every value where the permuted axes say, also beyond the tiles in which it is copied', () => {
  fc.assert(
    fc.property(permutations, ({ shape, axes }) => {
      const values = Float32Array.from({ length: placesIn(shape).length }, (_, i) => i);
      const permuted = permuteAxes(values, shape, axes);
      const theirs = axes.map((axis) => shape[axis] ?? 0);
      const expected = placesIn(theirs).map((place) => {
        const own = shape.map((_, axis) => place[axes.indexOf(axis)] ?? 0);
        return values[offsetOf(shape, own)] ?? Number.NaN;
      });
      expect(permuted).toEqual(Float32Array.from(expected));
    }),
    { numRuns: 40 },
  );
});
