import { type EngineName, startEngine } from '@winnow/engine';
import { type BudgetUnit, type CompressionMethod, countedUnits } from '@winnow/core';
import { type TinyKind, tinyKinds } from '../model/tiny-kind';
import { computeLaws } from './compute-laws';
import { contractLaws } from './contract-laws';
import { decisionLaws } from './decision-laws';
import { type Law, laboratory } from './law';
import { reconstructionLaws } from './reconstruction-laws';
import { recoveryLaws } from './recovery-laws';
import type { Subject } from './subject';

/** Every law, for one method and one kind of model; an engine must be running when they are checked. */
export function conformanceLaws(subject: Subject): Law[] {
  const shared = laboratory(subject);
  return [
    ...contractLaws(shared),
    ...decisionLaws(shared),
    ...recoveryLaws(shared),
    ...computeLaws(shared),
    ...reconstructionLaws(shared),
  ];
}

export interface ConformanceOptions {
  /** Options that keep the search short; about five steps are enough. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Another seed must lead to another decision. */
  readonly isRandom?: boolean;
  readonly engine?: EngineName;
  /** Units that its budgets may count; by default every unit that its decisions change. */
  readonly units?: readonly BudgetUnit[];
  /** Kinds of models that it can make smaller; by default all. */
  readonly kinds?: readonly TinyKind[];
  /** Names of the laws that are checked, where others hold by what other kinds show; by default all. */
  readonly laws?: RegExp;
}

/** Registers one jest test per law and kind of model: call it at the top of a test file. */
export function describeMethod(
  method: CompressionMethod,
  {
    options = {},
    isRandom = false,
    engine = 'wasm',
    units = countedUnits(method.manifest.granularity),
    kinds = tinyKinds,
    laws = /./,
  }: ConformanceOptions = {},
): void {
  describe(`${method.manifest.name} on ${engine}`, () => {
    beforeAll(async () => {
      await startEngine(engine);
    });
    for (const kind of kinds) {
      describe(`of a ${kind.name}`, () => {
        const subject = { method, options, isRandom, kind, units };
        const checked = conformanceLaws(subject).filter(
          ({ name }) => laws.test(name) && (kind.laws ?? /./).test(name),
        );
        for (const { name, check } of checked) it(name, check);
      });
    }
  });
}
