import fc from 'fast-check';
import { classResultsOf } from '../src/index';

const predictions = fc.integer({ min: 1, max: 80 }).chain((classes) => {
  const index = fc.integer({ min: 0, max: classes - 1 });
  return fc
    .array(fc.record({ label: index, dense: index, compressed: index }), { maxLength: 200 })
    .map((examples) => ({
      classNames: Array.from({ length: classes }, (_, place) => `class ${place}`),
      labels: examples.map(({ label }) => label),
      dense: examples.map(({ dense }) => dense),
      compressed: examples.map(({ compressed }) => compressed),
    }));
});

describe('results by class', () => {
  it('count every example of the classes that they list, whatever there is', () => {
    fc.assert(
      fc.property(predictions, (given) => {
        const { results, confusions, matrix, classes } = classResultsOf(given);
        expect(classes).toBe(given.classNames.length);
        expect(results.length).toBeLessThanOrEqual(60);
        expect(confusions.length).toBeLessThanOrEqual(20);
        expect(matrix.names.length).toBeLessThanOrEqual(20);
        for (const { name, examples, right, rightAfter } of results) {
          const own = [...given.labels.keys()].filter((place) => `class ${given.labels[place]}` === name);
          expect(examples).toBe(own.length);
          expect(right).toBe(own.filter((place) => given.dense[place] === given.labels[place]).length);
          expect(rightAfter).toBe(
            own.filter((place) => given.compressed[place] === given.labels[place]).length,
          );
        }
        const present = new Set(given.labels).size;
        expect(results).toHaveLength(Math.min(60, present));
        for (const { label, taken, before, after } of confusions) {
          expect(label).not.toBe(taken);
          expect(before + (after ?? 0)).toBeGreaterThan(0);
        }
        for (const [place, name] of matrix.names.entries()) {
          const all = given.labels.filter((label) => `class ${label}` === name).length;
          const drawn = (matrix.before[place] ?? []).reduce((sum, count) => sum + count, 0);
          // Of few classes all are drawn; of many, what is taken for a class that is not drawn is left out.
          if (given.classNames.length <= 20) expect(drawn).toBe(all);
          else expect(drawn).toBeLessThanOrEqual(all);
        }
      }),
    );
  });
  it('are those of one model where there is no other', () => {
    const { results, matrix, confusions } = classResultsOf({
      classNames: ['a', 'b', 'never seen'],
      labels: [0, 0, 1],
      dense: [0, 1, 1],
    });
    expect(results).toEqual([
      { name: 'a', examples: 2, right: 1, rightAfter: null },
      { name: 'b', examples: 1, right: 1, rightAfter: null },
    ]);
    expect(matrix).toEqual({
      names: ['a', 'b'],
      before: [
        [1, 1],
        [0, 1],
      ],
      after: null,
    });
    expect(confusions).toEqual([{ label: 'a', taken: 'b', before: 1, after: null }]);
  });
});
