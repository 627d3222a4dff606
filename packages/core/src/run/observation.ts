import type { Splits } from '../data/dataset';
import { observedBatches } from '../data/observed';
import { type SeenTensor, seeTaps } from '../layers/seen';
import type { Task } from '../task/task';
import { type TensorTree, tidyTree } from '../tree/tree';
import type { LedgerEntry } from './ledger';
import { runPasses } from './passes';
import type { Runner } from './phase';

/** The splits that a method may look at; the test split is for the report alone. */
export type ObservedSplits = Pick<Splits<unknown>, 'train' | 'validation'>;

/** A look at a model's activations, and the state that is made of them. */
export interface Observation<State extends TensorTree> {
  /** The number of examples, drawn by the run's seed; of a smaller split all of them. */
  readonly examples: number;
  /** Default `train`. */
  readonly split?: keyof ObservedSplits;
  /** Whether they are augmented as in a training; default false. */
  readonly augment?: boolean;
  /**
   * Examples that pass at once: what is seen of them is held together. Default: a batch of the run, which is also the most.
   */
  readonly atOnce?: number;
  /** The taps that are seen, as `Observe` names them. */
  readonly at: readonly string[];
  /** Parameters of the run's model that it runs on; the dense ones without it. They stay the caller's. */
  readonly params?: TensorTree;
  /** The state before the first batch: finite numbers only. It stays the caller's. */
  readonly state: State;
  /**
   * The state after another batch, of the same shapes. Call of a tidy: what is neither returned nor kept is disposed. Sums over
   * rows are the way not to depend on how examples are put into batches.
   */
  onBatch(seen: SeenBatch, state: State): State;
}

/** Tensors that passed the taps as one batch went through the model; lent until the state is returned. */
export interface SeenBatch {
  /** B: the number of its examples. */
  readonly size: number;
  /** All that passed a tap: one entry, or more where a module is run more than once. @throws {RangeError} when nothing did. */
  at(tap: string): readonly SeenTensor[];
}

/** The model, and the data that are observed. */
export interface ObservedSubject {
  readonly task: Task;
  readonly params: TensorTree;
  readonly splits: ObservedSplits;
  readonly batchSize: number;
  readonly seed: number;
  /** Multiply–accumulates of one example's forward pass. */
  readonly macs: number;
}

/** An observation that survives a crash: it goes on from its last checkpoint and ends in the same bytes. */
export async function runObservation<State extends TensorTree>(
  runner: Runner,
  name: string,
  subject: ObservedSubject,
  observation: Observation<State>,
): Promise<{ state: State; ledger: LedgerEntry }> {
  const { split = 'train', augment = false, at, onBatch } = observation;
  const { seed, task } = subject;
  const batchSize = Math.min(subject.batchSize, observation.atOnce ?? subject.batchSize);
  const params = observation.params ?? subject.params;
  const batches = observedBatches(subject.splits[split], {
    examples: observation.examples,
    batchSize,
    seed,
    augment,
  });
  const { state, wallMs } = await runPasses(runner, name, {
    count: batches.count,
    state: observation.state,
    pass: async (index, before) => {
      const { batch, size } = await batches.at(index);
      const { observe, at: tensorsAt, release } = seeTaps(at);
      try {
        tidyTree(() => {
          task.predict(params, batch, { observe });
          return {};
        });
        return tidyTree(() => onBatch({ size, at: tensorsAt }, before));
      } finally {
        release();
      }
    },
  });
  const { examples } = batches;
  const ledger = { phase: name, steps: 0, examples, trainingMacs: examples * subject.macs, wallMs };
  return { state, ledger };
}
