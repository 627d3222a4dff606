import { observedBatches } from '../data/observed';
import type { Task } from '../task/task';
import { forwardPassesPerStep } from '../train/adversary';
import { type Objective, gradientsOf } from '../train/gradients';
import { type TensorTree, leavesOf, tidyTree, withLeaves } from '../tree/tree';
import type { LedgerEntry } from './ledger';
import type { ObservedSplits, ObservedSubject } from './observation';
import { runPasses } from './passes';
import type { Runner } from './phase';

/** Gradients of a loss that are looked at, and what is made of them. */
export interface Sensitivity<Params extends TensorTree, State extends TensorTree> {
  /** The number of examples, drawn by the run's seed; of a smaller split all of them. */
  readonly examples: number;
  /** Default `train`. */
  readonly split?: keyof ObservedSplits;
  /** Whether they are augmented as in a training; default false. */
  readonly augment?: boolean;
  /**
   * The loss: that of the task, or of two varied views of each example how far the task's predictions are apart (`divergence`), one of
   * which is held still; it asks for no labels, and is nothing where data are not varied. Default `task`.
   */
  readonly loss?: 'task' | 'views';
  /** The tree whose gradients are asked for: weights, masks. It stays the caller's. */
  readonly params: Params;
  /** Makes the parameters of the forward pass of it, and what is added to the loss. */
  objective(params: Params): Objective<TensorTree>;
  /**
   * Whether gradients come example by example, where the loss of a batch is the mean of its examples' losses. A task of
   * another loss (a contrastive one) gives those of batches, whatever is asked, and so do views.
   */
  readonly perExample?: boolean;
  /** The state before the first gradients: finite numbers only. It stays the caller's. */
  readonly state: State;
  /** The state after more gradients, of the same shapes. Call of a tidy: what is neither returned nor kept is disposed. */
  onGradients(seen: SeenGradients<Params>, state: State): State;
}

/** The gradients of one loss, lent until the state is returned. */
export interface SeenGradients<Params extends TensorTree> {
  /** The number of examples that the loss is the mean of. */
  readonly size: number;
  readonly gradients: Params;
}

/** Forward and backward passes without a step of an optimiser; they survive a crash. */
export async function runSensitivity<Params extends TensorTree, State extends TensorTree>(
  runner: Runner,
  name: string,
  { task, splits, batchSize, seed, macs }: ObservedSubject,
  sensitivity: Sensitivity<Params, State>,
): Promise<{ state: State; ledger: LedgerEntry }> {
  const { split = 'train', augment = false, perExample = false, params, objective } = sensitivity;
  const ofViews = sensitivity.loss === 'views';
  const drawn = { examples: sensitivity.examples, batchSize, seed };
  const { examples, count, at } = observedBatches(splits[split], { ...drawn, augment: augment || ofViews });
  const other = ofViews ? observedBatches(splits[split], { ...drawn, augment: true, epoch: 1 }) : undefined;
  const slice = perExample && !ofViews ? task.slice?.bind(task) : undefined;
  const batches = { batchSize, stepsPerEpoch: count, at: async (index: number) => at(index) };
  const afterPart = (
    batch: unknown,
    size: number,
    index: number,
    state: State,
    view?: { readonly batch: unknown },
  ): State => {
    const { grads } = gradientsOf(
      { task: view === undefined ? task : besideView(task, objective(params).params, view.batch), batches },
      batch,
      leavesOf(params),
      (leaves) => objective(withLeaves(params, leaves)),
      index,
    );
    return sensitivity.onGradients({ size, gradients: withLeaves(params, grads) }, state);
  };
  const { state, wallMs } = await runPasses(runner, name, {
    count,
    state: sensitivity.state,
    pass: async (index, before) => {
      const { batch, size } = await at(index);
      const view = await other?.at(index);
      if (slice === undefined) return tidyTree(() => afterPart(batch, size, index, before, view));
      return tidyTree(() => {
        let state = before;
        for (let example = 0; example < size; example++) {
          const own = slice(batch, example, example + 1);
          state = tidyTree(() => afterPart(own, 1, index, state));
        }
        return state;
      });
    },
  });
  const passes = forwardPassesPerStep(undefined) + (ofViews ? 1 : 0);
  const trainingMacs = passes * examples * macs;
  return { state, ledger: { phase: name, steps: 0, examples, trainingMacs, wallMs } };
}

/** The task with how far its predictions are from those of another view as its loss. Call it in a tidy. */
function besideView(task: Task, params: TensorTree, view: unknown): Task {
  const still = task.predict(params, view);
  return { ...task, loss: (prediction, batch) => task.divergence(prediction, still, batch) };
}
