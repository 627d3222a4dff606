import { type Tensor2D, abs, dispose, keep, max, sub, tidy } from '@tensorflow/tfjs-core';
import { resultOf } from '../layers/observe';
import type { Task } from '../task/task';
import { type TensorTree, tidyTree } from '../tree/tree';
import { runPart } from './part-pass';

/** The results of one pass of a model. */
export interface Scouted {
  /** Taps in the order in which something passes them first. */
  readonly taps: readonly string[];
  /** Those of them that something passes once. */
  readonly onceSeen: readonly string[];
  /** Blocks at which a pass can begin with the same outcome; none where a block looks at more than its own states. */
  readonly blocks: readonly string[];
}

/** Begun at a block, a pass gives the same to this share of the largest state. */
const TOLERANCE = 1e-4;

/**
 * Runs a few examples through a model, and then through each of its blocks alone: blocks may stand beside each other, as those
 * of two towers, and only where what others make is not looked at can they be left out.
 */
export function scout(task: Pick<Task, 'predict'>, params: TensorTree, batch: unknown): Scouted {
  const taps = new Map<string, number>();
  const entries = new Map<string, Tensor2D>();
  const results = new Map<string, Tensor2D>();
  try {
    tidyTree(() => {
      task.predict(params, batch, {
        enter: (block, states) => {
          entries.set(block, keep(states.clone()));
          return states;
        },
        observe: (path, values) => {
          taps.set(path, (taps.get(path) ?? 0) + 1);
          const block = [...entries.keys()].find((own) => resultOf(own) === path);
          if (block !== undefined) results.set(block, keep(values.clone()));
        },
      });
      return {};
    });
    const blocks = [...entries.keys()];
    const areAlone = blocks.every((block) => {
      const [states, expected] = [entries.get(block), results.get(block)];
      if (states === undefined || expected === undefined) return false;
      let difference = Number.POSITIVE_INFINITY;
      runPart(task, params, batch, { from: { block, states }, last: block }, (path, values) => {
        if (path === resultOf(block)) difference = relativeDistance(values, expected);
      });
      return difference <= TOLERANCE;
    });
    const onceSeen = [...taps].flatMap(([tap, times]) => (times === 1 ? [tap] : []));
    return { taps: [...taps.keys()], onceSeen, blocks: areAlone ? blocks : [] };
  } finally {
    dispose([...entries.values(), ...results.values()]);
  }
}

function relativeDistance(actual: Tensor2D, expected: Tensor2D): number {
  const [difference, largest] = [tidy(() => max(abs(sub(actual, expected)))), tidy(() => max(abs(expected)))];
  const [distance = Number.NaN] = difference.dataSync<'float32'>();
  const [size = Number.NaN] = largest.dataSync<'float32'>();
  dispose([difference, largest]);
  return distance / Math.max(size, Number.MIN_VALUE);
}
