import {
  type CompressionRun,
  type KeptEntries,
  type Model,
  type Optimizer,
  type PrunableMatrix,
  type TensorTree,
  adamw,
  clipByGlobalNorm,
  cloneTree,
  cosine,
  decaysOf,
  disposeTree,
  isOfHead,
  lendTree,
  tidyTree,
  weightMasks,
  zeroed,
  zipTrees,
} from '@winnow/core';
import { magnitudesOf, masksOf } from './masks';
import type { MagnitudeTicketOptions } from './options';
import { type Pruning, everything, prune, removedCount } from './pruning';

/** The run that rounds are made with: that of any command that trains a model on a task. */
export type TicketRun = Pick<CompressionRun, 'model' | 'params' | 'stepsIn' | 'train'>;

export type RoundOptions = Pick<
  MagnitudeTicketOptions,
  'round' | 'rewind' | 'head' | 'learningRate' | 'weightDecay' | 'warmup' | 'clipNorm'
>;

/** A round that has been trained and pruned; its parameters are only lent. */
export interface Round {
  /** Counted from 1. */
  readonly number: number;
  /** The mask that it was trained under. */
  readonly before: KeptEntries;
  /** The mask that came out of it. */
  readonly after: KeptEntries;
  /** Parameters at the end of its training. */
  readonly trained: TensorTree;
  /** The parameters that the backbone goes back to: θ_0 or θ_i. */
  readonly origin: TensorTree;
}

/** A mask, and the parameters to train under it. The caller owns the parameters, which the mask has not touched yet. */
export interface FoundTicket {
  readonly kept: KeptEntries;
  readonly params: TensorTree;
}

export const REWIND_PHASE = 'rewind';
export const roundPhase = (round: number): string => `round-${round}`;

/**
 * Iterative magnitude pruning (slides, Figure 1): in round k the model is trained under mask m_{k−1} to the end of its
 * schedule, the smallest |w| of the survivors extend the mask to m_k, and every backbone weight goes back to θ_0, or to
 * θ_i of the phase `rewind`. The optimiser and its schedule begin anew in every round.
 * @param targets How many weights are gone after each round, rising.
 */
export async function prunedIteratively(
  run: TicketRun,
  options: RoundOptions,
  pruning: Pruning,
  targets: readonly number[],
  onRound: (round: Round) => Promise<void> = () => Promise.resolve(),
): Promise<FoundTicket> {
  const origin = await originOf(run, options);
  let params = cloneTree(origin);
  try {
    let kept: KeptEntries = everything(pruning.matrices);
    for (const [index, removed] of targets.entries()) {
      const number = index + 1;
      const trained = await trainedRound(run, options, number, pruning.matrices, kept, params);
      const before = kept;
      kept = await lendTree(trained, async () => {
        const after = prune(pruning, await magnitudesOf(pruning.matrices, trained), before, removed);
        await onRound({ number, before, after, trained, origin });
        const next = tidyTree(() => rewound(run, options, origin, trained));
        disposeTree(params);
        params = next;
        return after;
      });
    }
    return { kept, params };
  } catch (error) {
    disposeTree(params);
    throw error;
  } finally {
    disposeTree(origin);
  }
}

/** θ_0 or θ_i: what the backbone goes back to. The caller owns it. */
async function originOf(run: TicketRun, options: RoundOptions): Promise<TensorTree> {
  const steps = run.stepsIn(options.rewind);
  if (steps === 0) return cloneTree(run.params);
  const { params } = await run.train(REWIND_PHASE, {
    params: run.params,
    state: {},
    objective: (params) => ({ params }),
    // The first steps of a round's own schedule: θ_i is a point on the way that the dense model takes.
    optimizer: optimizerOf(run.model, options, Math.max(steps, run.stepsIn(options.round))),
    steps,
  });
  return params;
}

/** Trains under a mask, from weights that are zero where it says so. The caller owns the result. */
async function trainedRound(
  run: TicketRun,
  options: RoundOptions,
  number: number,
  matrices: readonly PrunableMatrix[],
  kept: KeptEntries,
  from: TensorTree,
): Promise<TensorTree> {
  const steps = run.stepsIn(options.round);
  const masks = removedCount(kept) === 0 ? {} : masksOf(matrices, kept);
  const start = tidyTree(() => zeroed(from, masks));
  return lendTree(start, async () => {
    if (steps === 0) return cloneTree(start);
    const { params } = await run.train(roundPhase(number), {
      params: start,
      state: {},
      objective: (params) => ({ params }),
      reparametrisation: weightMasks(masks),
      optimizer: optimizerOf(run.model, options, steps),
      steps,
    });
    return params;
  });
}

/** The backbone of `origin`, with the task's heads of `trained` where they are kept. Call it in a tidy. */
function rewound(
  { model }: TicketRun,
  { head }: RoundOptions,
  origin: TensorTree,
  trained: TensorTree,
): TensorTree {
  return zipTrees([origin, trained], ([first, last], path) =>
    (head === 'kept' && isOfHead(model, path) ? last : first).clone(),
  );
}

function optimizerOf(
  { specs }: Pick<Model, 'specs'>,
  { learningRate, weightDecay, warmup, clipNorm }: RoundOptions,
  steps: number,
): Optimizer<TensorTree> {
  const schedule = cosine(learningRate, steps, { warmupSteps: Math.round(warmup * steps) });
  const plain = adamw<TensorTree>({ schedule, weightDecay, decays: decaysOf(specs) });
  return clipNorm === 0 ? plain : clipByGlobalNorm(plain, clipNorm);
}
