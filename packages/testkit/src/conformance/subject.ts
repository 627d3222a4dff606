import { memory } from '@tensorflow/tfjs-core';
import {
  type Budget,
  type BudgetUnit,
  type CompressionMethod,
  type CompressionResult,
  type Decision,
  type Granularity,
  type HostTensors,
  type Model,
  type ReconstructionChoice,
  type RunEvent,
  type SnapshotStore,
  adamw,
  cosine,
  decaysOf,
  disposeTree,
  downloadTree,
  evaluate,
  evaluationBatches,
  runCompression,
  trainingBatches,
} from '@winnow/core';
import type { TinyKind } from '../model/tiny-kind';
import type { TinyModel } from '../model/tiny-model';
import { memorySnapshotStore } from '../store/memory-store';
import { runLog } from './run-log';

/** A method under test, and how to run it quickly. */
export interface Subject {
  readonly method: CompressionMethod;
  /** Options that keep the search short; about five steps are enough. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Another seed must lead to another decision. */
  readonly isRandom: boolean;
  /** The kind of model that it makes smaller. */
  readonly kind: TinyKind;
  /** Units that its budgets may count; it must refuse the others. */
  readonly units: readonly BudgetUnit[];
}

/** The budget, or the smallest that the method's plan promises where that is more. */
export function reachable(
  { method, options, kind }: Subject,
  { keep, ...counted }: Budget,
  makeModel = kind.makeModel,
): Budget {
  const { model, params } = makeModel();
  disposeTree(params);
  const { smallestKeep } = method.configure(options).plan(model, { ...counted, keep: 0.9 });
  return { ...counted, keep: Math.max(keep, smallestKeep) };
}

/** The things that the method decides about on a model, with its options. */
export function granularityOf({ method, options, units }: Subject, model: Model): Granularity {
  const [unit = 'parameters'] = units;
  const plan = method.configure(options).plan(model, { unit, keep: 0.9 });
  return plan.granularity ?? method.manifest.granularity ?? 'units';
}

/** The parts of a trial that laws vary; the rest is the same in every one. */
export interface Trial {
  readonly budget: Budget;
  readonly seed?: number;
  readonly store?: SnapshotStore;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly makeModel?: () => TinyModel;
  /** Training MACs of the search and the retraining together, instead of a number of steps. */
  readonly computeLimit?: number;
  /** Default 8. */
  readonly batchSize?: number;
  /** The parts that are made up for after the cut. */
  readonly reconstruct?: ReconstructionChoice;
}

/** The results of a finished trial: nothing of them lives on the engine. */
export interface Outcome {
  readonly decision: Decision;
  /** Final parameters. */
  readonly params: HostTensors;
  /** Parameters that the method returned; missing when an earlier run of the same store had finished the search. */
  readonly masked: HostTensors | undefined;
  /** A line for each step and each scoring of this attempt. */
  readonly log: readonly string[];
  readonly result: Omit<CompressionResult, 'params'>;
}

export const checkpointEvery = 2;
export const retraining = { steps: 3, milestones: [2, 3] } as const;

export const batchSize = 8;
export const stepsPerEpoch = ({ data }: TinyKind): number => Math.floor(data.train.size / batchSize);

/**
 * One whole compression of the tiny model: search, cut, retrain.
 * @throws {Error} when it leaves tensors behind, whether it ends well or not.
 */
export async function compressTiny({ method, options, kind }: Subject, trial: Trial): Promise<Outcome> {
  const {
    budget,
    seed = 7,
    store = memorySnapshotStore(),
    signal,
    onEvent,
    makeModel = kind.makeModel,
    computeLimit,
    batchSize: examples = batchSize,
    reconstruct,
  } = trial;
  const { data, taskOf } = kind;
  const before = memory().numTensors;
  const { model, params } = makeModel();
  const configured = method.configure(options);
  let masked: HostTensors | undefined;
  const log = runLog();
  const attempt = async (): Promise<Outcome> => {
    const { params: final, ...result } = await runCompression({
      runner: {
        store,
        checkpointEvery,
        ...(signal === undefined ? {} : { signal }),
        report: (event) => {
          log.note(event);
          onEvent?.(event);
        },
      },
      method: {
        ...configured,
        compress: async (run) => {
          const compressed = await configured.compress(run);
          masked = await downloadTree(compressed.params);
          return compressed;
        },
      },
      budget,
      seed,
      model,
      params,
      taskOf,
      batches: trainingBatches(data.train, { batchSize: examples, seed, augment: true }),
      splits: data,
      ...(reconstruct === undefined ? {} : { reconstruct }),
      score: (task, scored) =>
        evaluate(task, scored, evaluationBatches(data.validation, data.validation.size)),
      retrain: {
        ...retraining,
        ...(computeLimit === undefined ? {} : { computeLimit }),
        optimizer: (steps, { specs }) =>
          adamw({ schedule: cosine(1e-3, steps), weightDecay: 0.05, decays: decaysOf(specs) }),
      },
    });
    const host = await downloadTree(final);
    disposeTree(final);
    return { decision: result.decision, params: host, masked, log: log.lines(), result };
  };
  return attempt().finally(() => {
    disposeTree(params);
    const left = memory().numTensors - before;
    if (left !== 0) throw new Error(`${left} tensors are left over after ${method.manifest.name}`);
  });
}
