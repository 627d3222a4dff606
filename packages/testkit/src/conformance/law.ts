import { isDeepStrictEqual } from 'node:util';
import type { HostTensors } from '@winnow/core';
import { type Outcome, type Subject, type Trial, compressTiny } from './subject';

/** Something that must hold for every method. */
export interface Law {
  readonly name: string;
  /** @throws {LawBroken} saying what does not hold. */
  check(): Promise<void>;
}

export class LawBroken extends Error {
  override readonly name = 'LawBroken';
}

export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new LawBroken(otherwise);
}

/** Trials of one subject; laws that look at the same trial share its run. */
export interface Laboratory {
  readonly subject: Subject;
  /** The outcome of a budget, with nothing out of the ordinary. */
  outcomeOf(budget: Trial['budget']): Promise<Outcome>;
}

export function laboratory(subject: Subject): Laboratory {
  const outcomes = new Map<string, Promise<Outcome>>();
  return {
    subject,
    outcomeOf: (budget) => {
      const key = `${budget.unit}/${budget.keep}/${budget.multiple ?? 1}`;
      const known = outcomes.get(key) ?? compressTiny(subject, { budget });
      outcomes.set(key, known);
      return known;
    },
  };
}

/** @throws {LawBroken} unless both runs ended in the same decision and the same bytes. */
export function demandSame(actual: Outcome, expected: Outcome, when: string): void {
  demand(isDeepStrictEqual(actual.decision, expected.decision), `${when}, the decision is another one`);
  const different = firstDifference(actual.params, expected.params);
  demand(different === undefined, `${when}, ${different ?? ''} is not the same bytes`);
}

/** The first tensor of which two sets differ in a bit. */
export function firstDifference(actual: HostTensors, expected: HostTensors): string | undefined {
  const names = new Set([...actual.keys(), ...expected.keys()]);
  return [...names].find((name) => {
    const [a, b] = [actual.get(name), expected.get(name)];
    if (a === undefined || b === undefined) return true;
    return !isDeepStrictEqual(a.shape, b.shape) || !bytesOf(a.values).equals(bytesOf(b.values));
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
