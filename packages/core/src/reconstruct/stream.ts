import { type Tensor2D, dispose } from '@tensorflow/tfjs-core';
import type { Account } from '../account/account';
import { InterruptedError } from '../error/user-error';
import { pathWithin } from '../tree/path';
import { type SeenTaps, seeTaps } from '../layers/seen';
import type { Task } from '../task/task';
import type { TensorTree } from '../tree/tree';
import { type PassPart, runPart } from './part-pass';

/** A model through which the same batches go, part by part. */
export interface Stream {
  /** Goes on to the beginning of a block, where all later passes begin. */
  moveTo(block: string): Promise<void>;
  /**
   * Runs from where the stream stands.
   * @param part To the end of block `last`, or to the beginning of `until`, where the stream then stands; else to the end.
   * @param whole Runs from the beginning of the model instead.
   */
  run(
    part: Pick<PassPart, 'last' | 'until'> & { readonly whole?: boolean },
    taps: readonly string[],
    onBatch: (seen: Pick<SeenTaps, 'at'>, index: number) => void,
  ): Promise<void>;
  /** Multiply–accumulates of all that was run. */
  macs(): number;
  dispose(): void;
}

/** A batch and the number of its examples. */
export interface CalibrationBatch {
  readonly batch: unknown;
  readonly size: number;
}

export interface StreamOptions {
  readonly task: Pick<Task, 'predict'>;
  readonly account: Account;
  readonly batches: readonly CalibrationBatch[];
  /** Paths of blocks at which a pass can begin. */
  readonly blocks: readonly string[];
  /** Taps that something passes once in a pass. */
  readonly onceSeen: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** As they are at each pass. */
  params(): TensorTree;
}

/** @throws {InterruptedError} between two batches, when the signal is aborted. */
export function streamOf(options: StreamOptions): Stream {
  const { task, account, batches, blocks, onceSeen, signal, params } = options;
  let place: { readonly block: string; readonly states: readonly Tensor2D[] } | undefined;
  let macs = 0;
  const costOf = partCost(account, blocks);
  const run: Stream['run'] = async ({ last, until, whole = false }, taps, onBatch) => {
    const reached: Tensor2D[] = [];
    // A pass that is not to come to a place ends when all taps were passed.
    const ending = until === undefined && taps.every((tap) => onceSeen.includes(tap)) ? taps : [];
    try {
      for (const [index, { batch, size }] of batches.entries()) {
        if (signal?.aborted === true) throw new InterruptedError();
        const seen = seeTaps(taps);
        try {
          const states = place?.states[index];
          const from =
            whole || place === undefined || states === undefined ? undefined : { block: place.block, states };
          const observe = taps.length === 0 ? undefined : seen.observe;
          const result = runPart(task, params(), batch, { from, last, until }, observe, ending);
          macs += size * costOf(result.ran);
          if (result.states !== undefined) reached.push(result.states);
          onBatch(seen, index);
        } finally {
          seen.release();
        }
        // Lets others have their turn: a signal is heard, and progress is written.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      dispose(reached);
      throw error;
    }
    if (until === undefined) return;
    dispose([...(place?.states ?? [])]);
    place = { block: until, states: reached };
  };
  return {
    run,
    moveTo: async (block) => {
      if (place?.block !== block) await run({ until: block }, [], () => undefined);
    },
    macs: () => macs,
    dispose: () => {
      dispose([...(place?.states ?? [])]);
      place = undefined;
    },
  };
}

/** The cost of a pass by the blocks that it runs: whatever lies outside of blocks is always run. */
function partCost({ macs, lines }: Account, blocks: readonly string[]): (ran: readonly string[]) => number {
  const costs = new Map(
    blocks.map((block) => [
      block,
      lines
        .filter(({ part }) => part === block || pathWithin(block, part) !== undefined)
        .reduce((sum, line) => sum + line.macs, 0),
    ]),
  );
  const inBlocks = [...costs.values()].reduce((sum, cost) => sum + cost, 0);
  return (ran) => macs - inBlocks + ran.reduce((sum, block) => sum + (costs.get(block) ?? 0), 0);
}
