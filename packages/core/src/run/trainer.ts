import type { BatchSource } from '../data/batches';
import type { Task } from '../task/task';
import { type Adversary, forwardPassesPerStep } from '../train/adversary';
import type { CompressionRun } from './compression-run';
import type { LedgerEntry } from './ledger';
import { type Runner, runPhase } from './phase';

/** The task and the data that the phases of a run train on. */
export interface PhaseSubject {
  readonly task: Task;
  readonly batches: BatchSource<unknown>;
  /** Multiply–accumulates of one example's forward pass. */
  readonly macs: number;
  readonly adversary?: Adversary | undefined;
}

/** Trains phases by name on one task, each with a line in the ledger. */
export function phaseTrainer(
  runner: Runner,
  { task, batches, macs, adversary }: PhaseSubject,
  ledger: LedgerEntry[],
): CompressionRun['train'] {
  return async (name, { isExtended = false, batchOf, ...phase }) => {
    const seen =
      batchOf === undefined ? batches : { ...batches, at: (step: number) => batches.at(batchOf(step)) };
    const { ledger: entry, ...trained } = await runPhase(
      runner,
      name,
      { ...phase, task, batches: seen, ...(adversary === undefined ? {} : { adversary }) },
      { trainingMacsPerExample: forwardPassesPerStep(adversary) * macs, isExtended },
    );
    // An extended phase is one line: the latest has everything that was spent under the name.
    const known = ledger.findIndex(({ phase }) => phase === name);
    ledger.splice(known < 0 ? ledger.length : known, 1, entry);
    return { params: trained.params, state: trained.state };
  };
}
