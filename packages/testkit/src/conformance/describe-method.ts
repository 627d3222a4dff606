import { type EngineName, startEngine } from '@winnow/engine';
import type { CompressionMethod } from '@winnow/core';
import { tinyKinds } from '../model/tiny-kind';
import { contractLaws } from './contract-laws';
import { decisionLaws } from './decision-laws';
import { type Law, laboratory } from './law';
import { recoveryLaws } from './recovery-laws';
import type { Subject } from './subject';

/** Every law, for one method and one kind of model; an engine must be running when they are checked. */
export function conformanceLaws(subject: Subject): Law[] {
  const shared = laboratory(subject);
  return [...contractLaws(shared), ...decisionLaws(shared), ...recoveryLaws(shared)];
}

export interface ConformanceOptions {
  /** Options that keep the search short; about five steps are enough. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Another seed must lead to another decision. */
  readonly isRandom?: boolean;
  readonly engine?: EngineName;
}

/** Registers one jest test per law and kind of model: call it at the top of a test file. */
export function describeMethod(
  method: CompressionMethod,
  { options = {}, isRandom = false, engine = 'wasm' }: ConformanceOptions = {},
): void {
  describe(`${method.manifest.name} on ${engine}`, () => {
    beforeAll(async () => {
      await startEngine(engine);
    });
    for (const kind of tinyKinds) {
      describe(`of a ${kind.name}`, () => {
        for (const { name, check } of conformanceLaws({ method, options, isRandom, kind })) it(name, check);
      });
    }
  });
}
