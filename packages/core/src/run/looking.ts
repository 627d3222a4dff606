import type { Task } from '../task/task';
import type { Model } from '../families/model';
import type { TensorTree } from '../tree/tree';
import type { CompressionRun } from './compression-run';
import type { LedgerEntry } from './ledger';
import { type ObservedSplits, runObservation } from './observation';
import { onceIn } from './once';
import type { Runner } from './phase';
import { runSensitivity } from './sensitivity';

/** The part of a run that looks at a model and changes nothing. */
export type Looking = Pick<CompressionRun, 'model' | 'params' | 'observe' | 'sensitivities' | 'once'>;

/** A model that is looked at, and on which data. */
export interface LookedAt {
  readonly model: Model;
  readonly params: TensorTree;
  readonly task: Task;
  readonly splits: ObservedSplits;
  readonly batchSize: number;
  readonly seed: number;
}

/** Looks at a model, each charged to a ledger. */
export function lookingAt(runner: Runner, subject: LookedAt, ledger: LedgerEntry[]): Looking {
  const { model, params } = subject;
  const observed = { ...subject, macs: model.account.macs };
  return {
    model,
    params,
    observe: async (name, observation) => {
      const { state, ledger: entry } = await runObservation(runner, name, observed, observation);
      ledger.push(entry);
      return state;
    },
    sensitivities: async (name, sensitivity) => {
      const { state, ledger: entry } = await runSensitivity(runner, name, observed, sensitivity);
      ledger.push(entry);
      return state;
    },
    once: (name, schema, work) => onceIn(runner.store, name, schema, work),
  };
}
