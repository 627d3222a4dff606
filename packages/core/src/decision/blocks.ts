import { z } from 'zod';
import { type Site } from '../sites/site';
import { placeInList } from '../sites/whole';
import { checkAscending } from './heads';

/** The blocks of a list that stay, ascending; all others are left out, and what they add with them. */
export interface KeptBlocks {
  readonly kept: readonly number[];
  /** Blocks of the dense model. */
  readonly units: number;
}

/** Blocks that stay, by the path of their list in the model's record: `blocks`, `vision.blocks`. */
export type DecidedBlocks = Readonly<Record<string, KeptBlocks>>;

export const blocksSchema = z.record(
  z.string(),
  z.strictObject({ kept: z.array(z.int().nonnegative()).min(1), units: z.int().positive() }),
);

/** A list of blocks of which some may go. */
export interface BlockList {
  /** Path in the configuration. */
  readonly config: string;
  readonly blocks: number;
}

/** The lists of a model of which whole blocks may go, by their paths in its record. */
export function blockLists(sites: readonly Site[]): ReadonlyMap<string, BlockList> {
  const lists = new Map<string, BlockList>();
  for (const { block, stack } of sites) {
    if (block === undefined || stack === undefined) continue;
    const { list, index } = placeInList(block);
    const { blocks = 0 } = lists.get(list) ?? {};
    lists.set(list, { config: stack, blocks: Math.max(blocks, index + 1) });
  }
  return lists;
}

/** @throws {RangeError} naming the list: unknown, of another length, or with blocks out of range or out of order. */
export function checkBlocks(decided: DecidedBlocks, sites: readonly Site[]): void {
  const lists = blockLists(sites);
  for (const [list, { kept, units }] of Object.entries(decided)) {
    const own = lists.get(list);
    if (own === undefined)
      throw new RangeError(`the decision takes whole blocks of ${list}, which it cannot`);
    if (own.blocks !== units)
      throw new RangeError(`the decision is for ${units} blocks at ${list}, the model has ${own.blocks}`);
    checkAscending(kept, units, `kept blocks at ${list}`);
  }
}

/** Whether a block stays. */
export function staysBlock(decided: DecidedBlocks | undefined, block: string): boolean {
  const { list, index } = placeInList(block);
  return decided?.[list]?.kept.includes(index) ?? true;
}
