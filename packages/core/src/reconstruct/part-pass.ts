import { type Tensor2D, keep } from '@tensorflow/tfjs-core';
import { type Observe, observeOnly } from '../layers/observe';
import type { Task } from '../task/task';
import { type TensorTree, tidyTree } from '../tree/tree';

/** The part of a forward pass that is run; without anything all of it. */
export interface PassPart {
  /** The block that it begins at, and the states that the block begins with, [B·T, D]. */
  readonly from?: { readonly block: string; readonly states: Tensor2D } | undefined;
  /** The last block that is run. */
  readonly last?: string | undefined;
  /** The block whose first states end it. */
  readonly until?: string | undefined;
}

/** The outcome of a pass. */
export interface PassResult {
  /** The states that `until` would have begun with; the caller owns them. */
  readonly states: Tensor2D | undefined;
  /** Blocks that were run, in order. */
  readonly ran: readonly string[];
}

/** Thrown to end a pass of which nothing more is needed. */
const PASS_ENDS = new Error('nothing more is needed of this pass');

/**
 * Runs a part of the model on a batch, no further than until all that `onceSeen` names has passed its taps. Embeddings are
 * left out where a tower knows how to begin at a block; heads are run when the pass comes to them.
 * @param onceSeen Taps that something passes once in a pass.
 */
export function runPart(
  task: Pick<Task, 'predict'>,
  params: TensorTree,
  batch: unknown,
  { from, last, until }: PassPart,
  observe?: Observe,
  onceSeen: readonly string[] = [],
): PassResult {
  let place: 'before' | 'within' | 'behind' = from === undefined ? 'within' : 'before';
  let states: Tensor2D | undefined;
  const ran: string[] = [];
  const entered = (block: string, below: Tensor2D): Tensor2D | undefined => {
    let own: Tensor2D | undefined = below;
    if (place === 'before') {
      if (from?.block !== block) return undefined;
      place = 'within';
      own = from.states;
    }
    if (place === 'behind') return undefined;
    if (block === until) {
      states = keep(below.clone());
      throw PASS_ENDS;
    }
    if (block === last) place = 'behind';
    ran.push(block);
    return own;
  };
  const enter = from === undefined ? entered : Object.assign(entered, { begins: from });
  const unseen = new Set(onceSeen);
  const watch = (own: Observe): Observe =>
    observeOnly(own.only ?? onceSeen, (path, ...seen) => {
      own(path, ...seen);
      if (unseen.delete(path) && unseen.size === 0) throw PASS_ENDS;
    });
  const watched = observe === undefined || unseen.size === 0 ? observe : watch(observe);
  try {
    tidyTree(() => {
      task.predict(params, batch, { enter, ...(watched === undefined ? {} : { observe: watched }) });
      return {};
    });
  } catch (error) {
    if (error !== PASS_ENDS) throw error;
  }
  return { states, ran };
}
