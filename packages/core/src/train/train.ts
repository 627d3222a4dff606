import { type Tensor, minimum, stack } from '@tensorflow/tfjs-core';
import { InterruptedError, UserError } from '../error/user-error';
import type { Optimizer } from '../optimizer/optimizer';
import type { Task } from '../task/task';
import { finiteProbe } from '../operations/finite-probe';
import { type Reparametrisation, applied, unchanged } from '../reparametrisation/reparametrisation';
import { nonFiniteLeaf } from '../tree/finite';
import {
  type TensorTree,
  cloneTree,
  disposeTree,
  leavesOf,
  mapTree,
  tidyTree,
  withLeaves,
} from '../tree/tree';
import { type Learning, type Objective, gradientsOf } from './gradients';
import { batchesAhead } from './ahead';
import { checkTeacher } from './teacher';

/**
 * The state of a training as a method sees it after the optimiser's step. The method may replace trainable parameters
 * and move its own state.
 */
export interface AfterStep<Params extends TensorTree, State extends TensorTree> {
  /** Counted from 0. */
  readonly step: number;
  /** After the optimiser's step. */
  readonly params: Params;
  /** Gradients of the loss with penalty, with respect to the parameters before the step. */
  readonly gradients: Params;
  readonly state: State;
}

/** Everything that is trained, and how. Every part is a pure function; the trainer knows no method. */
export interface Training<
  Params extends TensorTree,
  Forward extends TensorTree,
  State extends TensorTree = TensorTree,
  Batch = unknown,
> extends Learning<Forward, Batch> {
  /** Trainable trees. They stay the caller's. */
  readonly params: Params;
  /** A method's own state, carried along and checkpointed: finite numbers only. It stays the caller's. */
  readonly state: State;
  /** Makes the objective of a step of trainable trees and the method's state, which are only lent. */
  objective(params: Params, step: number, state: State): Objective<Forward>;
  /** Turns the parameters that a model stores into those that it runs, after the objective; the task is on what runs. */
  readonly reparametrisation?: Reparametrisation<Forward>;
  afterStep?(step: AfterStep<Params, State>): { params: Params; state: State };
  readonly optimizer: Optimizer<Params>;
  readonly steps: number;
}

/** Where a training stands: everything that the next step depends on. */
export interface TrainingPoint<Params extends TensorTree, State extends TensorTree> {
  /** The next step. */
  readonly step: number;
  readonly params: Params;
  readonly optimizer: TensorTree;
  readonly state: State;
  /** The task's memory, where it has one. */
  readonly memory?: TensorTree;
}

export interface TrainingHooks<Params extends TensorTree, State extends TensorTree> {
  /** Goes on from here instead of from the start; the trainer takes ownership. */
  readonly from?: TrainingPoint<Params, State>;
  readonly signal?: AbortSignal;
  onStep?(report: { readonly step: number; readonly loss: number }): void;
  /** After every step; `stopping` when the run was asked to stop. Its tensors are only lent. */
  onPoint?(point: TrainingPoint<Params, State>, stopping: boolean): Promise<void>;
  /** Asked after `onPoint`: whether the training has come far enough, though there are steps left. */
  isEnough?(): boolean;
}

/**
 * The training loop. The caller owns the returned trees.
 * @throws {RangeError} when the teacher's weight is none, or batches are to be computed in parts and the task has none.
 * @throws {UserError} naming the step, when the loss or a parameter after it is NaN or infinite.
 * @throws {InterruptedError} after `onPoint` has seen the last point, when the signal is aborted.
 */
export async function train<
  Params extends TensorTree,
  Forward extends TensorTree,
  State extends TensorTree,
  Batch,
>(
  training: Training<Params, Forward, State, Batch>,
  hooks: TrainingHooks<Params, State> = {},
): Promise<{ params: Params; state: State }> {
  checkTeacher(training.teacher);
  let point = hooks.from ?? startOf(training);
  const { reparametrisation = unchanged<Forward>() } = training;
  const constants = reparametrisation.init();
  const batches = batchesAhead(training.batches, training.steps);
  const running = (stored: Forward): Forward => reparametrisation.apply(stored, constants);
  try {
    while (point.step < training.steps) {
      const { step } = point;
      const batch = await batches.at(step);
      const { told, next } = tidyTree(() => takeStep(training, point, batch, running));
      disposeUnless(point, next);
      point = next;
      // Of a batch in parts, each part is an array of its own.
      if (training.microBatches === undefined) await batches.prepare(point.step);
      const [loss, probe] = await told.data<'float32'>();
      told.dispose();
      if (loss === undefined || !Number.isFinite(loss)) {
        throw diverged(`the loss became ${loss} at step ${step}`);
      }
      if (!Number.isFinite(probe)) {
        const fault = await nonFiniteLeaf(next.params);
        if (fault !== undefined) throw diverged(`${fault} after step ${step}`);
      }
      hooks.onStep?.({ step, loss });
      const stopping = hooks.signal?.aborted === true;
      await hooks.onPoint?.(point, stopping);
      if (stopping) throw new InterruptedError();
      if (hooks.isEnough?.() === true) break;
    }
  } catch (error) {
    disposePoint(point);
    throw error;
  } finally {
    batches.release();
    disposeTree(constants);
  }
  disposeTree(point.optimizer);
  if (point.memory !== undefined) disposeTree(point.memory);
  return { params: point.params, state: point.state };
}

const diverged = (fault: string): UserError =>
  new UserError(`${fault}: lower the learning rate or clip the gradients`);

function startOf<Params extends TensorTree, Forward extends TensorTree, State extends TensorTree, Batch>(
  training: Training<Params, Forward, State, Batch>,
): TrainingPoint<Params, State> {
  const { params, state, optimizer } = training;
  const memory = memoryAtStart(training);
  return {
    step: 0,
    params: cloneTree(params),
    optimizer: optimizer.init(params),
    state: cloneTree(state),
    ...(memory === undefined ? {} : { memory }),
  };
}

/** Makes the memory of a training's task at its start; the caller owns it. */
export function memoryAtStart<
  Params extends TensorTree,
  Forward extends TensorTree,
  State extends TensorTree,
  Batch,
>({
  task,
  objective,
  params,
  state,
  reparametrisation = unchanged<Forward>(),
}: Pick<
  Training<Params, Forward, State, Batch>,
  'task' | 'objective' | 'params' | 'state' | 'reparametrisation'
>): TensorTree | undefined {
  const { memory } = task;
  if (memory === undefined) return undefined;
  return tidyTree(() => memory.init(applied(reparametrisation, objective(params, 0, state).params)));
}

/** One step. `told` is the loss and a probe of the new parameters. */
function takeStep<Params extends TensorTree, Forward extends TensorTree, State extends TensorTree, Batch>(
  training: Training<Params, Forward, State, Batch>,
  point: TrainingPoint<Params, State>,
  batch: Batch,
  running: (stored: Forward) => Forward,
): { told: Tensor; next: TrainingPoint<Params, State> } {
  const { task, objective, afterStep, optimizer } = training;
  const { step } = point;
  const start = leavesOf(point.params);
  const memory =
    point.memory === undefined
      ? undefined
      : task.memory?.update(point.memory, running(objective(point.params, step, point.state).params), batch, {
          step,
          stepsPerEpoch: training.batches.stepsPerEpoch,
        });
  const recalling = memory === undefined ? task : { ...task, ...task.memory?.recall(memory) };
  const { value: loss, grads } = gradientsOf(
    { ...training, task: recalling },
    batch,
    start,
    (leaves) => {
      const { params, penalty } = objective(withLeaves(point.params, leaves), step, point.state);
      return { params: running(params), ...(penalty === undefined ? {} : { penalty }) };
    },
    step,
  );
  const gradients = withLeaves(point.params, grads);
  // The loop disposes the old point, but not what a method has kept of it as its state. Memory that the first point
  // shares with the caller's tensors, engines leave as it is.
  const { params, optimizer: state } = point;
  const updated = optimizer.update({ params, gradients, state, step, donated: hasOwnLeaves(point) });
  const within = withinLimits(updated.params, params, task.limits);
  const moved = afterStep?.({ step, params: within, gradients, state: point.state });
  const next = {
    step: step + 1,
    params: moved?.params ?? within,
    optimizer: updated.state,
    state: moved?.state ?? point.state,
    ...(memory === undefined ? {} : { memory }),
  };
  // Read together: the host waits for the device once a step.
  const told = stack([loss, finiteProbe(leavesOf(next.params))]);
  return { told, next };
}

/**
 * Updated parameters at their limits where they passed them. A method may train a tree that holds the model's record under
 * a key of its own, so a path counts from its end.
 */
function withinLimits<Params extends TensorTree>(
  updated: Params,
  old: Params,
  limits: Task['limits'] = {},
): Params {
  const limited = Object.entries(limits);
  if (limited.length === 0) return updated;
  const unchanged = new Set(leavesOf(old));
  return mapTree(updated, (leaf, path) => {
    if (unchanged.has(leaf)) return leaf;
    const limit = limited.find(([name]) => path === name || path.endsWith(`.${name}`))?.[1];
    return limit === undefined ? leaf : minimum(leaf, limit);
  });
}

/** Disposes what the next point does not share with the old one. */
function disposeUnless(
  old: TrainingPoint<TensorTree, TensorTree>,
  next: TrainingPoint<TensorTree, TensorTree>,
): void {
  const kept = new Set(leavesOfPoint(next));
  for (const leaf of leavesOfPoint(old)) if (!kept.has(leaf)) leaf.dispose();
}

/** Whether no tensor stands in two places. */
function hasOwnLeaves(point: TrainingPoint<TensorTree, TensorTree>): boolean {
  const leaves = leavesOfPoint(point);
  return new Set(leaves).size === leaves.length;
}

function disposePoint(point: TrainingPoint<TensorTree, TensorTree>): void {
  for (const leaf of leavesOfPoint(point)) leaf.dispose();
}

const leavesOfPoint = ({
  params,
  optimizer,
  state,
  memory = {},
}: TrainingPoint<TensorTree, TensorTree>): Tensor[] => [
  ...leavesOf(params),
  ...leavesOf(optimizer),
  ...leavesOf(state),
  ...leavesOf(memory),
];
