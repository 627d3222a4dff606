import { type Tensor2D, keep } from '@tensorflow/tfjs-core';
import type { Observe } from '../layers/observe';
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

/** Runs a part of the model on a batch. What lies outside of the blocks, such as embeddings and heads, is always run. */
export function runPart(
  task: Pick<Task, 'predict'>,
  params: TensorTree,
  batch: unknown,
  { from, last, until }: PassPart,
  observe?: Observe,
): PassResult {
  let place: 'before' | 'within' | 'behind' = from === undefined ? 'within' : 'before';
  let states: Tensor2D | undefined;
  const ran: string[] = [];
  const enter = (block: string, below: Tensor2D): Tensor2D | undefined => {
    let own: Tensor2D | undefined = below;
    if (place === 'before') {
      if (from?.block !== block) return undefined;
      place = 'within';
      own = from.states;
    }
    if (place === 'behind') return undefined;
    if (block === until) {
      place = 'behind';
      states = keep(below.clone());
      return undefined;
    }
    if (block === last) place = 'behind';
    ran.push(block);
    return own;
  };
  tidyTree(() => {
    task.predict(params, batch, { enter, ...(observe === undefined ? {} : { observe }) });
    return {};
  });
  return { states, ran };
}
