import { type Scalar, type Tensor2D, mul } from '@tensorflow/tfjs-core';
import {
  type AfterStep,
  type Compressed,
  type CompressionRun,
  type TensorTree,
  adamw,
  cloneTree,
  constant,
  disposeTree,
  initialize,
  lendTree,
  tidyTree,
} from '@winnow/core';
import { asStructure } from './groups';
import { type Committed, commit, decisionOf, readConfidences } from './commit';
import { budgetPenalty, denseParameters, storedParameters } from './count';
import { effectiveWeights } from './effective-weights';
import { emptyEvolution, evolutionRows, withEpoch } from './evolution';
import { findingsOf } from './findings';
import { type Hypernetwork, type HypernetworkParams, hypernetwork } from './hypernetwork';
import type { AlignmentOptions, StructureOptions } from './options';
import type { Pairing } from './pairing';
import { alignment } from './regularizer';
import { type Epoch, epochsOf } from './schedule';
import { type Structure, resolveConflicts } from './structure';
import { storedTarget } from './target';

/** What a search of a structure works on. */
export interface Search {
  readonly run: CompressionRun;
  readonly pairing: Pairing;
  readonly options: StructureOptions;
  /** Of the weights, which are learned in turn with the structure; without it they stay as they are. */
  readonly alignment?: AlignmentOptions;
}

/** A search with its hypernetwork and its budget, in stored parameters. */
interface Started extends Search {
  readonly network: Hypernetwork;
  readonly target: number;
  readonly epochs: readonly Epoch[];
  readonly subsetSteps: number;
}

type Learned = { params: HypernetworkParams; state: { evolution: Tensor2D } };

/**
 * Joint sharing and pruning, Algorithm 1: for every epoch, the weights over all of D, drawn towards the structure by R_w
 * while the hypernetwork is frozen; then the hypernetwork over D_sub, while the weights are. At the end what it is sure
 * of is committed.
 */
export async function shareAndPrune(search: Search): Promise<Compressed> {
  const { run, pairing, options } = search;
  const { seed } = run;
  const network = hypernetwork({
    pairing,
    seed,
    bias: options.bias,
    temperature: options.temperature,
  });
  const target = storedTarget(run, pairing);
  const started: Started = { ...search, network, target, ...epochsOf(run, options) };
  let weights = cloneTree(run.params);
  let learned = startOf(started);
  try {
    for (const epoch of started.epochs.keys()) {
      weights = instead(weights, await alignWeights(started, weights, learned.params, epoch));
      learned = instead(learned, await learnStructure(started, weights, learned, epoch));
      noteEpoch(started, learned, epoch);
    }
    return committed(started, weights, learned);
  } finally {
    disposeTree([weights, learned]);
  }
}

function startOf({ network, pairing, epochs, run }: Started): Learned {
  return {
    params: initialize<HypernetworkParams>(network.specs, run.seed),
    state: { evolution: emptyEvolution(epochs.length, pairing) },
  };
}

/** A tree in place of another, which is disposed. */
function instead<T extends TensorTree>(old: T, next: T): T {
  disposeTree(old);
  return next;
}

/** Steps 1 to 4 of the first loop: L_task + γ·R_w over the weights, with m and s drawn anew in every step. */
async function alignWeights(
  { run, pairing, network, alignment: weighing, epochs }: Started,
  weights: TensorTree,
  params: HypernetworkParams,
  epoch: number,
): Promise<TensorTree> {
  if (weighing === undefined) return cloneTree(weights);
  const { learningRate, weightDecay, alignmentPenalty } = weighing;
  const sure = tidyTree(() => cloneTree(network.confidences(params)));
  const penalty = (weights: TensorTree, step: number): Scalar => {
    const drawn = resolveConflicts(network.structure(sure, `weights/${step}`), pairing);
    return mul(alignment(weights, drawn, pairing), alignmentPenalty);
  };
  const trained = await lendTree(sure, () =>
    run.train('weights', {
      params: run.params,
      state: {},
      effective: (weights) => weights,
      ...(alignmentPenalty === 0 ? {} : { penalty }),
      optimizer: adamw({ schedule: constant(learningRate), weightDecay }),
      steps: epochs[epoch]?.weightSteps ?? 0,
      isExtended: true,
    }),
  );
  return trained.params;
}

/** Steps 1 to 4 of the second loop: L_task + λ·R over the hypernetwork, the forward pass on the effective weights. */
function learnStructure(
  { run, pairing, network, target, epochs, subsetSteps, options }: Started,
  weights: TensorTree,
  start: Learned,
  epoch: number,
): Promise<Learned> {
  const { budgetPenalty: weight, hypernetworkLearningRate, hypernetworkWeightDecay } = options;
  const drawn = (params: HypernetworkParams, draw?: string): Structure =>
    resolveConflicts(network.structure(network.confidences(params), draw), pairing);
  // The forward pass and the penalty of a step are about one draw.
  const drawnAt = lastOf((params: HypernetworkParams, step) => drawn(params, `structure/${step}`));
  const ends = epochs.map(({ structureSteps }) => structureSteps);
  return run.train<HypernetworkParams, Learned['state']>('structure', {
    ...start,
    effective: (params, step) => effectiveWeights(weights, drawnAt(params, step), pairing),
    penalty: (params, step) =>
      mul(budgetPenalty(storedParameters(drawnAt(params, step), pairing), target), weight),
    afterStep: ({ step, params, state }: AfterStep<HypernetworkParams, Learned['state']>) => {
      const row = ends.indexOf(step + 1);
      if (row < 0) return { params, state };
      return { params, state: { evolution: withEpoch(state.evolution, row, drawn(params), pairing) } };
    },
    optimizer: adamw({
      schedule: constant(hypernetworkLearningRate),
      weightDecay: hypernetworkWeightDecay,
      decays: () => true,
    }),
    steps: ends[epoch] ?? 0,
    isExtended: true,
    batchOf: (step) => step % subsetSteps,
  });
}

/** A function that gives its last value again while it is asked about the same parameters and step. */
function lastOf<Params extends object, Value>(
  compute: (params: Params, step: number) => Value,
): (params: Params, step: number) => Value {
  let last: { readonly params: Params; readonly step: number; readonly value: Value } | undefined;
  return (params, step) => {
    if (last?.params !== params || last.step !== step) last = { params, step, value: compute(params, step) };
    return last.value;
  };
}

/** Says how far the structure is. */
function noteEpoch({ run, pairing, target, epochs }: Started, { state }: Learned, epoch: number): void {
  const row = evolutionRows(state.evolution, pairing).at(-1);
  if (row === undefined) return;
  const dense = denseParameters(pairing);
  const share = (count: number) => `${((100 * count) / dense).toFixed(1)} %`;
  run.note(
    `epoch ${epoch + 1} of ${epochs.length}: the structure keeps ${share(row.stored)} of the compressible parameters; ` +
      `the budget allows ${share(target)}`,
  );
}

/** The structure that the hypernetwork is sure of, met to the budget, as a decision and its masked weights. */
function committed(
  { run, pairing, network, target }: Started,
  weights: TensorTree,
  learned: Learned,
): Compressed {
  const sure = tidyTree(() => readConfidences(network.confidences(learned.params)));
  const found = commit(pairing, sure, target);
  const dense = denseParameters(pairing);
  if (found.moved > 0) {
    const share = (count: number) => `${((100 * count) / dense).toFixed(2)} %`;
    run.note(
      `the learned structure kept ${share(found.learned)}, the budget allows ${share(target)}: ` +
        `${found.moved} columns of least confidence were moved to meet it`,
    );
  }
  const evolution = evolutionRows(learned.state.evolution, pairing);
  return {
    params: tidyTree(() => cloneTree(effectiveWeights(weights, resolvedOf(found, pairing), pairing))),
    decision: decisionOf(pairing, found.choices, run.model.sites),
    findings: findingsOf({ pairing, committed: found, target, evolution, weights }),
  };
}

const resolvedOf = ({ choices }: Committed, pairing: Pairing): Structure =>
  resolveConflicts(asStructure(choices), pairing);
