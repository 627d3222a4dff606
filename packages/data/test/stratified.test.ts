import fc from 'fast-check';
import { type HeldOutShares, type NamedExample, stratified } from '../src/split/stratified';

const splits = ['train', 'validation', 'test'] as const;
const sharesOf = ({ validation, test }: HeldOutShares) => ({
  train: 1 - validation - test,
  validation,
  test,
});

const shares = fc
  .tuple(fc.double({ min: 0.02, max: 0.47, noNaN: true }), fc.double({ min: 0.02, max: 0.47, noNaN: true }))
  .map(([validation, test]): HeldOutShares => ({ validation, test }));
const classSizes = fc.array(fc.integer({ min: 3, max: 120 }), { minLength: 1, maxLength: 5 });
const examplesOf = (sizes: readonly number[]): NamedExample[] =>
  sizes.flatMap((size, label) =>
    Array.from({ length: size }, (_, at) => ({ label, name: `class ${label}/${at}.jpg` })),
  );
const namesOf = (examples: readonly NamedExample[]) => examples.map(({ name }) => name);
const ofClass = (examples: readonly NamedExample[], label: number) =>
  examples.filter((example) => example.label === label).length;

describe('a stratified split', () => {
  test('partitions the examples, each split in their order', () => {
    fc.assert(
      fc.property(classSizes, shares, fc.integer(), (sizes, held, seed) => {
        const examples = examplesOf(sizes);
        const found = stratified(examples, held, seed);
        const all = splits.flatMap((split) => found[split]);
        expect(new Set(all)).toEqual(new Set(examples));
        expect(all).toHaveLength(examples.length);
        for (const split of splits) {
          const chosen = new Set(found[split]);
          expect(found[split]).toEqual(examples.filter((example) => chosen.has(example)));
        }
      }),
    );
  });

  test('has each class in each split, within one example of its share where that is an example', () => {
    fc.assert(
      fc.property(classSizes, shares, fc.integer(), (sizes, held, seed) => {
        const found = stratified(examplesOf(sizes), held, seed);
        sizes.forEach((size, label) => {
          const quotas = splits.map((split) => sharesOf(held)[split] * size);
          const counts = splits.map((split) => ofClass(found[split], label));
          expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
          const isWhole = quotas.every((quota) => quota >= 1);
          counts.forEach((count, place) => {
            const off = Math.abs(count - (quotas[place] ?? Number.NaN));
            // A split that has less than one example coming to it takes that one from another.
            expect(off).toBeLessThan(isWhole ? 1 + 1e-6 : 2);
          });
        });
      }),
    );
  });

  test('does not depend on the order of the examples', () => {
    fc.assert(
      fc.property(
        classSizes.chain((sizes) => {
          const examples = examplesOf(sizes);
          return fc.tuple(
            fc.constant(examples),
            fc.shuffledSubarray(examples, { minLength: examples.length }),
          );
        }),
        shares,
        fc.integer(),
        ([examples, shuffled], held, seed) => {
          const [one, other] = [stratified(examples, held, seed), stratified(shuffled, held, seed)];
          for (const split of splits)
            expect(namesOf(other[split]).sort()).toEqual(namesOf(one[split]).sort());
        },
      ),
    );
  });

  test('is the same for the same seed, and another for another', () => {
    const examples = examplesOf([60, 40]);
    const held = { validation: 0.15, test: 0.15 };
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, other) => {
        expect(stratified(examples, held, seed)).toEqual(stratified([...examples], held, seed));
        fc.pre(seed !== other);
        expect(stratified(examples, held, other).test).not.toEqual(stratified(examples, held, seed).test);
      }),
    );
  });

  test('of a class is not changed by other classes, and by another of its own in four at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 60 }), shares, fc.integer(), (size, held, seed) => {
        const [alone, grown] = [examplesOf([size]), examplesOf([size + 1, 9])];
        const before = stratified(alone, held, seed);
        const after = stratified(grown, held, seed);
        const splitIn = (found: typeof before, name: string) =>
          splits.find((split) => found[split].some((example) => example.name === name));
        const same = stratified([...alone, ...examplesOf([0, 9])], held, seed);
        const moved = (found: typeof before) =>
          alone.filter(({ name }) => splitIn(before, name) !== splitIn(found, name)).length;
        expect(moved(same)).toBe(0);
        expect(moved(after)).toBeLessThanOrEqual(4);
      }),
    );
  });

  test('takes names in either form of Unicode for the same', () => {
    const names = ['café', 'thé', 'crème', 'gâteau', 'glacé', 'pâté', 'rosé', 'frappé'];
    const written = (form: 'NFC' | 'NFD') => names.map((name) => ({ label: 0, name: name.normalize(form) }));
    const of = (form: 'NFC' | 'NFD') =>
      namesOf(stratified(written(form), { validation: 0.3, test: 0.3 }, 4).test).map((name) =>
        name.normalize('NFC'),
      );
    expect(of('NFD')).toEqual(of('NFC'));
  });

  test('refuses shares that leave nothing, and classes too small for it', () => {
    const examples = examplesOf([5]);
    for (const held of [
      { validation: 0, test: 0.1 },
      { validation: 0.1, test: 0 },
      { validation: 0.5, test: 0.5 },
      { validation: Number.NaN, test: 0.1 },
    ])
      expect(() => stratified(examples, held, 0)).toThrow(/heldOutShares above 0/);
    expect(() => stratified(examplesOf([5, 2]), { validation: 0.1, test: 0.1 }, 0)).toThrow(
      /at least 3 examples of class 1, got 2/,
    );
  });
});
