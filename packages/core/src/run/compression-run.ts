import type { Budget } from '../budget/budget';
import type { Duration } from '../duration/duration';
import type { Model } from '../families/model';
import type { Task } from '../task/task';
import type { Training } from '../train/train';
import type { TensorTree } from '../tree/tree';
import type { z } from 'zod';
import type { Observation } from './observation';
import type { Sensitivity } from './sensitivity';

/** A training of a method: the runner adds data, checkpoints, progress, cancellation and the ledger of compute. */
export type Phase<Params extends TensorTree, State extends TensorTree> = Pick<
  Training<Params, TensorTree, State>,
  'params' | 'state' | 'objective' | 'reparametrisation' | 'afterStep' | 'optimizer' | 'steps'
> & {
  /** Whether a later call of the same name may ask for more steps: it then goes on where this one ended. */
  readonly isExtended?: boolean;
  /** Which of the run's batches a step sees; by default the one of its own number. */
  batchOf?(step: number): number;
};

/** Everything that a method gets to work with. The dense parameters and the model are only lent. */
export interface CompressionRun {
  readonly model: Model;
  readonly params: TensorTree;
  readonly task: Task;
  readonly budget: Budget;
  readonly seed: number;
  /** Iterations in a duration, on this run's data. */
  stepsIn(duration: Duration): number;
  /**
   * Trains, under a name that is unique in the method. After a crash an unfinished phase goes on from its last
   * checkpoint, and a finished one is not run again; one that an earlier process has extended further gives what that
   * process had reached. The caller owns what it gets.
   */
  train<Params extends TensorTree, State extends TensorTree>(
    name: string,
    phase: Phase<Params, State>,
  ): Promise<{ params: Params; state: State }>;
  /**
   * Sees the activations of some examples, without training: one forward pass each, charged in the ledger. It is named
   * and survives a crash as a training does. The caller owns the state that it gets.
   * @throws {RangeError} naming the tap, when nothing passes it.
   */
  observe<State extends TensorTree>(name: string, observation: Observation<State>): Promise<State>;
  /**
   * Sees gradients of the task's loss, or of the distance of two views, on some examples, without training: one forward and one backward pass each, charged
   * in the ledger. It is named and survives a crash as a training does. The caller owns the state that it gets.
   */
  sensitivities<Params extends TensorTree, State extends TensorTree>(
    name: string,
    sensitivity: Sensitivity<Params, State>,
  ): Promise<State>;
  /**
   * Computes plain data once: after a crash what was found is read back, by its schema. Every name is unique in the
   * method.
   */
  once<Found>(name: string, schema: z.ZodType<Found>, work: () => Found | Promise<Found>): Promise<Found>;
  /** Tells the user something, as it happens. */
  note(text: string): void;
}
