import { type Tensor1D, type Tensor2D, reshape } from '@tensorflow/tfjs-core';
import { pathWithin } from '../tree/path';

/** The rows of a tensor that passes a tap, where more is known of them than their number. */
export interface ObservedRows {
  /** T: rows of each sequence, which stand one after another. */
  readonly tokens?: number;
  /** [N], 1 where a row is a token that is read and 0 where it is padding; without it all are read. */
  readonly counted?: Tensor1D;
}

/**
 * Sees what passes a tap of a forward pass, [N, width]. What goes into a linear map or a block is seen under its path in the
 * record, `blocks.3.ffn.contract` and `blocks.3`; what comes out of it under `resultOf` that path. So the input of
 * `ffn.contract` is the hidden units after their non-linearity, that of `attention.output` the heads side by side, and the
 * results of `attention.query`, `.key` and `.value` are q, k and v.
 *
 * The tensor is lent. A forward pass with an observer computes the sub-layers that it looks into step by step, also where the
 * engine has a kernel of the whole; without one, no step asks.
 */
export interface Observe {
  (path: string, values: Tensor2D, rows?: ObservedRows): void;
  /** The taps that it looks at, where it does not look at all: what lies around them is computed as it is without an observer. */
  readonly only?: readonly string[];
}

/** An observer of some taps alone. */
export const observeOnly = (
  only: readonly string[],
  observe: (path: string, values: Tensor2D, rows?: ObservedRows) => void,
): Observe =>
  // A new function: the caller's stays as it is.
  Object.assign(
    (...seen: Parameters<Observe>) => {
      observe(...seen);
    },
    { only },
  );

/** The tap of what comes out of a linear map or a block. */
export const resultOf = (path: string): string => `${path}.result`;

/** The tap of what comes into a block, of those tokens that come out of it: the last block of a tower may give fewer. */
export const beforeOf = (path: string): string => `${path}.before`;

/** The observer for what stands under `key`; none where it looks at nothing there. */
export function observeUnder(observe: Observe | undefined, key: string): Observe | undefined {
  if (observe === undefined) return undefined;
  const under = (path: string, values: Tensor2D, rows?: ObservedRows) => {
    observe(`${key}.${path}`, values, rows);
  };
  if (observe.only === undefined) return under;
  const only = observe.only.flatMap((tap) => pathWithin(key, tap) ?? []);
  return only.length === 0 ? undefined : observeOnly(only, under);
}

/**
 * The observer for sequences with padding, [B, T] with 1 where a token is read: tensors of B·T rows count those alone.
 * Tensors of other rows, such as the tokens that are read at the end, pass as they are.
 */
export function observeCounting(
  observe: Observe | undefined,
  readTokens: () => Tensor2D,
): Observe | undefined {
  if (observe === undefined) return undefined;
  const counted = flat(readTokens());
  const counting: Observe = (path, values, rows = {}) => {
    const isWhole = rows.counted === undefined && values.shape[0] === counted.shape[0];
    observe(path, values, isWhole ? { ...rows, counted } : rows);
  };
  return observe.only === undefined ? counting : observeOnly(observe.only, counting);
}

/** [B, T] → [B·T]. */
export const flat = (x: Tensor2D): Tensor1D => reshape(x, [x.size]);

/**
 * Says what states a block of a tower begins with, [B·T, D], by its path in the record and those that the blocks below it
 * made: these, or others in their place; nothing leaves the block out. So a pass may begin and end at any block.
 */
export interface Enter {
  (block: string, states: Tensor2D): Tensor2D | undefined;
  /** Where the pass begins, if not at its beginning: what is below this block is not needed. */
  readonly begins?: { readonly block: string; readonly states: Tensor2D };
}

/** The same for what stands under `key`. */
export function enterUnder(enter: Enter | undefined, key: string): Enter | undefined {
  if (enter === undefined) return undefined;
  const under = (block: string, states: Tensor2D) => enter(`${key}.${block}`, states);
  const block = enter.begins === undefined ? undefined : pathWithin(key, enter.begins.block);
  return enter.begins === undefined || block === undefined
    ? under
    : Object.assign(under, { begins: { block, states: enter.begins.states } });
}
