import { type Tensor2D, mul, tensor1d } from '@tensorflow/tfjs-core';
import {
  type AfterStep,
  type Compressed,
  type CompressionRun,
  type TensorTree,
  adamw,
  cloneTree,
  constant,
  decaysOf,
  disposeTree,
  initialize,
  tidyTree,
} from '@winnow/core';
import { commit, decisionOf } from './commit';
import { budgetPenalty, denseParameters } from './count';
import { effectiveWeights } from './effective-weights';
import { emptyEvolution, evolutionRows, withEpoch } from './evolution';
import { findingsOf } from './findings';
import { hardGates, openProbabilities } from './gates';
import { type Hypernetwork, type HypernetworkParams, hypernetwork } from './hypernetwork';
import { asVector, bySubLayer } from './layout';
import type { AlignmentOptions, StructureOptions } from './options';
import type { Pairing } from './pairing';
import { alignment } from './regularizer';
import { type Epoch, epochsOf } from './schedule';
import { resolveConflicts } from './structure';
import { storedTarget } from './target';

/** The run, pairing and options that a search of a structure works on. */
export interface Search {
  readonly run: CompressionRun;
  readonly pairing: Pairing;
  readonly options: StructureOptions;
  /** Alignment of the weights, which are learned in turn with the structure; without it they stay as they are. */
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

/** o + b of a hypernetwork in host memory. Synchronous, once for a phase. */
const confidencesOf = (network: Hypernetwork, params: HypernetworkParams): Float32Array =>
  tidyTree(() => Float32Array.from(network.confidences(params).dataSync<'float32'>()));

/** Steps 1 to 4 of the first loop: L_task + γ·R_w over the weights, with m and s drawn anew in every step. */
async function alignWeights(
  { run, network, alignment: weighing, epochs }: Started,
  weights: TensorTree,
  params: HypernetworkParams,
  epoch: number,
): Promise<TensorTree> {
  if (weighing === undefined) return cloneTree(weights);
  const { learningRate, weightDecay, alignmentPenalty } = weighing;
  // The hypernetwork is frozen: its gates are drawn where they are only numbers.
  const probabilities = openProbabilities(confidencesOf(network, params));
  const trained = await run.train('weights', {
    params: run.params,
    state: {},
    objective: (weights, step) => {
      if (alignmentPenalty === 0) return { params: weights };
      const structure = network.drawHard(probabilities, `weights/${step}`);
      const aligned = alignment(weights, structure, network.layout);
      return { params: aligned.weights, penalty: () => mul(aligned.penalty, alignmentPenalty) };
    },
    optimizer: adamw({ schedule: constant(learningRate), weightDecay, decays: decaysOf(run.model.specs) }),
    steps: epochs[epoch]?.weightSteps ?? 0,
    isExtended: true,
  });
  return trained.params;
}

/** Steps 1 to 4 of the second loop: L_task + λ·R over the hypernetwork, the forward pass on the effective weights. */
function learnStructure(
  { run, network, target, epochs, subsetSteps, options }: Started,
  weights: TensorTree,
  start: Learned,
  epoch: number,
): Promise<Learned> {
  const { budgetPenalty: weight, hypernetworkLearningRate, hypernetworkWeightDecay } = options;
  const { layout } = network;
  const ends = epochs.map(({ structureSteps }) => structureSteps);
  return run.train<HypernetworkParams, Learned['state']>('structure', {
    ...start,
    objective: (params, step) => {
      const { vector, stored } = network.draw(network.confidences(params), `structure/${step}`);
      return {
        params: effectiveWeights(weights, vector, layout),
        penalty: () => mul(budgetPenalty(stored, target), weight),
      };
    },
    afterStep: ({ step, params, state }: AfterStep<HypernetworkParams, Learned['state']>) => {
      const row = ends.indexOf(step + 1);
      if (row < 0) return { params, state };
      const sure = resolveConflicts(hardGates(confidencesOf(network, params)), layout);
      return { params, state: { evolution: withEpoch(state.evolution, row, sure, layout) } };
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
  { run, pairing, network, target, options }: Started,
  weights: TensorTree,
  learned: Learned,
): Compressed {
  const { layout } = network;
  const sure = bySubLayer(confidencesOf(network, learned.params), layout, options.bias);
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
  const resolved = resolveConflicts(asVector(found.choices, layout), layout);
  return {
    params: tidyTree(() => cloneTree(effectiveWeights(weights, tensor1d(resolved), layout))),
    decision: decisionOf(pairing, found.choices, run.model.sites),
    findings: findingsOf({
      ...{ pairing, committed: found, target, evolution, weights },
      structure: bySubLayer(resolved, layout, 1),
    }),
  };
}
