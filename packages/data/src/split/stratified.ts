import { createHash } from 'node:crypto';
import type { Splits } from '@winnow/core';
import { grouped } from './grouped';

/** Shares of every class that are kept from training; the rest, which must be more than nothing, is trained on. */
export interface HeldOutShares {
  readonly validation: number;
  readonly test: number;
}

export const DEFAULT_HELD_OUT_SHARES: HeldOutShares = { validation: 0.15, test: 0.15 };

/** One example for each split. */
export const SMALLEST_CLASS = 3;

export interface NamedExample {
  readonly label: number;
  /** A name of its own among all examples; with the seed it decides the split. */
  readonly name: string;
}

type Divided<Example> = Readonly<Record<keyof Splits<unknown>, readonly Example[]>>;

/** @throws {RangeError} when the shares do not leave something for each split. */
export function checkShares({ validation, test }: HeldOutShares): void {
  if (validation > 0 && test > 0 && validation + test < 1) return;
  throw new RangeError(
    `expected heldOutShares above 0 that are less than 1 together, got ${validation} and ${test}`,
  );
}

/**
 * Sizes of the three splits of `count` examples: whole parts of the shares, then one more where the largest parts were cut
 * off (Hamilton's method of apportionment), then one from the largest for each that has none.
 */
function sizesOf(count: number, { validation, test }: HeldOutShares) {
  const parts = [1 - validation - test, validation, test].map((share, place) => {
    const quota = share * count;
    // 0.15 · 20 is 3 but for rounding.
    const size = Math.floor(quota + 1e-9);
    return { place, size, cut: quota - size };
  });
  const left = count - parts.reduce((sum, { size }) => sum + size, 0);
  const byCut = [...parts].sort((a, b) => b.cut - a.cut || b.place - a.place);
  for (const part of byCut.slice(0, left)) part.size++;
  for (const part of parts) {
    if (part.size > 0) continue;
    const [largest] = [...parts].sort((a, b) => b.size - a.size);
    if (largest !== undefined) largest.size--;
    part.size++;
  }
  const [, forValidation, forTest] = parts;
  return { validation: forValidation?.size ?? 0, test: forTest?.size ?? 0 };
}

/**
 * Divides each class into training, validation and test. Names and seed alone decide, not the order of the examples: those of a
 * class are ranked by a hash of seed and name, so a new one changes the split of few others. Every split has at least one of
 * each class and is within one example of its share of it, unless it takes that one from another.
 * @param examples At least {@link SMALLEST_CLASS} of every class; the splits keep their order.
 * @throws {RangeError} on shares outside their range, or on a smaller class.
 */
export function stratified<Example extends NamedExample>(
  examples: readonly Example[],
  shares: HeldOutShares,
  seed: number,
): Divided<Example> {
  checkShares(shares);
  const [validation, test] = [new Set<Example>(), new Set<Example>()];
  for (const [label, members] of grouped(examples, (example) => example.label)) {
    if (members.length < SMALLEST_CLASS)
      throw new RangeError(
        `expected at least ${SMALLEST_CLASS} examples of class ${label}, got ${members.length}`,
      );
    const sizes = sizesOf(members.length, shares);
    const ranked = members
      .map((example) => ({ example, rank: rankOf(seed, example.name) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
    ranked.forEach(({ example }, place) => {
      if (place < sizes.test) test.add(example);
      else if (place < sizes.test + sizes.validation) validation.add(example);
    });
  }
  return {
    train: examples.filter((example) => !test.has(example) && !validation.has(example)),
    validation: examples.filter((example) => validation.has(example)),
    test: examples.filter((example) => test.has(example)),
  };
}

const rankOf = (seed: number, name: string): string =>
  createHash('sha256')
    .update(`split/${seed}/${name.normalize('NFC')}`)
    .digest('hex');
