import { z } from 'zod';
import type { Scores } from '../task/task';
import { applied, unchanged } from '../reparametrisation/reparametrisation';
import { type Training, type TrainingPoint, memoryAtStart, train } from '../train/train';
import { type HostTensor, downloadTree, uploadTree } from '../tree/host';
import { type TensorTree, disposeTree, leavesOf, tidyTree } from '../tree/tree';
import { type Patience, bestOf, keepBest, loadBest } from './best';
import type { LedgerEntry, Milestone } from './ledger';
import { type Snapshot, type SnapshotStore, loadSnapshot, restored, saveSnapshot, toJson } from './store';

/** An event of a run, reported as it happens. */
export type RunEvent =
  | { readonly kind: 'phase'; readonly phase: string; readonly steps: number; readonly from: number }
  | {
      readonly kind: 'step';
      readonly phase: string;
      /** Steps done. */
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      /** The rate of this step, where its optimiser has one. */
      readonly learningRate?: number;
      readonly examples: number;
    }
  /** Scores are about to be computed; those that a killed run reported under this name are not the run's. */
  | { readonly kind: 'scoring'; readonly phase: string }
  | { readonly kind: 'scores'; readonly phase: string; readonly step: number; readonly scores: Scores }
  | { readonly kind: 'checkpoint'; readonly phase: string; readonly step: number }
  /** A remark of the method. */
  | { readonly kind: 'note'; readonly text: string };

/** The parts that every phase of a run shares. */
export interface Runner {
  readonly store: SnapshotStore;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  readonly signal?: AbortSignal;
  /** Measures the memory of a phase. */
  readonly memory?: MemoryProbe;
  report(event: RunEvent): void;
}

/** The most memory that this process has held since it was last asked to forget. */
export interface MemoryProbe {
  reset(): void;
  peakBytes(): number;
}

/** The steps of a phase, and what stands around them. */
export interface PhaseOptions {
  /** Cost of one example, forward and backward, in multiply–accumulates. */
  readonly trainingMacsPerExample: number;
  readonly milestones?: Milestones;
  /** The optimiser stays in the last checkpoint: a phase of the same name and more steps goes on from there. */
  readonly isExtended?: boolean;
}

/** The outcome of the phase, where that is not the trained parameters: scored, and kept where it is the best. */
export type Outcome<Params extends TensorTree, State extends TensorTree> = (
  point: Pick<TrainingPoint<Params, State>, 'params' | 'state'>,
) => Params;

/** Scores the parameters that run after these numbers of steps. */
export interface Milestones {
  readonly at: readonly number[];
  score(params: TensorTree, step: number): Promise<Scores>;
  /** Whether the training ends once its scores do not get better; without it, it goes on to its last step. */
  readonly patience?: Patience;
}

export interface PhaseResult<Params extends TensorTree, State extends TensorTree> {
  readonly params: Params;
  readonly state: State;
  readonly milestones: readonly Milestone[];
  readonly ledger: LedgerEntry;
  /** With patience: the step whose parameters these are. */
  readonly bestStep?: number;
}

const noMilestones: Milestones = { at: [], score: () => Promise.resolve({}) };

const metaSchema = z.object({
  step: z.int().nonnegative(),
  isEnough: z.literal(true).exactOptional(),
  wallMs: z.number().nonnegative(),
  peakMemoryBytes: z.number().exactOptional(),
  milestones: z.array(z.object({ step: z.int(), scores: z.record(z.string(), z.number()) })),
});
type Meta = z.infer<typeof metaSchema>;
type Spent = Pick<LedgerEntry, 'wallMs' | 'peakMemoryBytes'>;

/**
 * A training that survives a crash: it goes on from its last checkpoint and ends in the same bytes, and a finished one
 * is loaded instead of run.
 */
export async function runPhase<
  Params extends TensorTree,
  Forward extends TensorTree,
  State extends TensorTree,
  Batch,
>(
  runner: Runner,
  name: string,
  training: Training<Params, Forward, State, Batch>,
  { trainingMacsPerExample, milestones = noMilestones, isExtended = false }: PhaseOptions,
  outcome: Outcome<Params, State> = ({ params }) => params,
): Promise<PhaseResult<Params, State>> {
  const { steps, batches } = training;
  const file = `phase-${name}`;
  const saved = await loadSnapshot(runner.store, file, metaSchema);
  const meta: Meta = saved?.meta ?? { step: 0, wallMs: 0, milestones: [] };
  const restoring = <Result>(restore: () => Result): Result => restored(runner.store, file, restore);
  const reached = [...meta.milestones];
  const ledgerAfter = (done: number, { wallMs, peakMemoryBytes }: Spent): LedgerEntry => ({
    phase: name,
    steps: done,
    examples: done * batches.batchSize,
    trainingMacs: done * batches.batchSize * trainingMacsPerExample,
    wallMs,
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
  });
  const { patience } = milestones;
  const best = () => (patience === undefined ? undefined : bestOf(reached, patience));
  const isEnough = () => (best()?.since ?? 0) >= (patience?.evaluations ?? Infinity);
  /** The best parameters in place of the last, where there is patience. */
  const finished = async (
    { params, state }: Pick<PhaseResult<Params, State>, 'params' | 'state'>,
    ledger: LedgerEntry,
  ): Promise<PhaseResult<Params, State>> => {
    const found = best();
    if (found === undefined) return { params, state, milestones: reached, ledger };
    const { step } = found;
    disposeTree(params);
    return {
      params: await loadBest(runner.store, name, step, training.params),
      state,
      milestones: reached,
      ledger,
      bestStep: step,
    };
  };
  if (saved !== undefined && (meta.step >= steps || meta.isEnough === true)) {
    return finished(
      restoring(() => restoreResult(training, saved)),
      // A phase that was extended further is charged for what is asked for.
      ledgerAfter(Math.min(meta.step, steps), meta),
    );
  }

  runner.report({ kind: 'phase', phase: name, steps, from: meta.step });
  const startMs = performance.now() - meta.wallMs;
  runner.memory?.reset();
  // Over all processes that worked on the phase.
  const spent = (): Spent => ({
    wallMs: performance.now() - startMs,
    ...(runner.memory === undefined
      ? {}
      : { peakMemoryBytes: Math.max(meta.peakMemoryBytes ?? 0, runner.memory.peakBytes()) }),
  });
  let last = meta.step;
  const trained = await train(training, {
    ...(saved === undefined ? {} : { from: restoring(() => restorePoint(training, saved, meta.step)) }),
    ...(runner.signal === undefined ? {} : { signal: runner.signal }),
    onStep: ({ step, loss }) => {
      const learningRate = training.optimizer.learningRate?.(step);
      runner.report({
        kind: 'step',
        phase: name,
        step: step + 1,
        steps,
        loss,
        ...(learningRate === undefined ? {} : { learningRate }),
        examples: batches.batchSize,
      });
    },
    onPoint: async (point, stopping) => {
      const { step } = point;
      last = step;
      const isMilestone = milestones.at.includes(step);
      if (isMilestone) {
        const params = outcome(point);
        const scores = await scoreRunning(training, { ...point, params }, milestones);
        reached.push({ step, scores });
        runner.report({ kind: 'scores', phase: name, step, scores });
        if (best()?.step === step) await keepBest(runner.store, name, step, params);
      }
      const enough = isMilestone && isEnough();
      const done = step === steps || enough;
      if (!done && !stopping && step % runner.checkpointEvery !== 0) return;
      const tensors = await downloadPoint(point, !done || isExtended);
      await saveSnapshot(runner.store, file, {
        tensors,
        meta: toJson({ step, ...(enough ? { isEnough: true } : {}), ...spent(), milestones: reached }),
      });
      runner.report({ kind: 'checkpoint', phase: name, step });
    },
    isEnough,
  });
  return finished(trained, ledgerAfter(last, spent()));
}

/** A finished phase that is not extended needs neither an optimiser any more nor what its task kept. */
async function downloadPoint(
  { params, state, optimizer, memory = {} }: TrainingPoint<TensorTree, TensorTree>,
  goesOn: boolean,
): Promise<Map<string, HostTensor>> {
  return new Map([
    ...(await downloadTree(params, 'params/')),
    ...(await downloadTree(state, 'state/')),
    ...(goesOn ? await downloadTree(optimizer, 'optimizer/') : []),
    ...(goesOn ? await downloadTree(memory, 'memory/') : []),
  ]);
}

type Described<Params extends TensorTree, State extends TensorTree> = Pick<
  Training<Params, TensorTree, State>,
  'params' | 'state'
>;

function restoreResult<Params extends TensorTree, State extends TensorTree>(
  { params, state }: Described<Params, State>,
  { tensors }: Pick<Snapshot, 'tensors'>,
): { params: Params; state: State } {
  return { params: uploadTree(params, tensors, 'params/'), state: uploadTree(state, tensors, 'state/') };
}

function restorePoint<Params extends TensorTree, Forward extends TensorTree, State extends TensorTree, Batch>(
  training: Training<Params, Forward, State, Batch>,
  snapshot: Pick<Snapshot, 'tensors'>,
  step: number,
): TrainingPoint<Params, State> {
  const fresh = training.optimizer.init(training.params);
  const memory = memoryAtStart(training);
  try {
    return {
      step,
      ...restoreResult(training, snapshot),
      optimizer: uploadTree(fresh, snapshot.tensors, 'optimizer/'),
      ...(memory === undefined ? {} : { memory: uploadTree(memory, snapshot.tensors, 'memory/') }),
    };
  } finally {
    disposeTree([fresh, memory ?? {}]);
  }
}

async function scoreRunning<Params extends TensorTree, Forward extends TensorTree, State extends TensorTree>(
  {
    objective,
    reparametrisation = unchanged<Forward>(),
  }: Pick<Training<Params, Forward, State>, 'objective' | 'reparametrisation'>,
  { params, step, state }: Pick<TrainingPoint<Params, State>, 'params' | 'step' | 'state'>,
  milestones: Milestones,
): Promise<Scores> {
  const running = tidyTree(() => applied(reparametrisation, objective(params, step, state).params));
  const scores = await milestones.score(running, step);
  const own = new Set([...leavesOf(params), ...leavesOf(state)]);
  for (const leaf of leavesOf(running)) if (!own.has(leaf)) leaf.dispose();
  return scores;
}
