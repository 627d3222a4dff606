import type { Activation, DenseConfig } from '@winnow/core';
import type { Naming } from './naming';

/** A fresh classifier. */
export interface NewHead {
  readonly classes: number;
  readonly seed: number;
}

export interface ImportOptions {
  /** Attention heads, where the checkpoint does not say (timm weights without a `config.json`). */
  readonly heads?: number;
  /** The towers' activation, where the checkpoint does not say (open_clip weights without an `open_clip_config.json`). */
  readonly activation?: Activation;
  /** Leaves the checkpoint's classifier, if it has one, and starts a fresh one for this many classes. */
  readonly newHead?: NewHead;
  /** Starts a fresh classifier for a checkpoint of a ViT or DeiT that has none; others keep theirs. */
  readonly missingHead?: NewHead;
}

/** Everything that is known of a checkpoint once its kind is, before any values are read. */
export interface Reading<Config extends DenseConfig = DenseConfig> {
  readonly config: Config;
  readonly naming: Naming;
  /** Names of a classifier's classes, in the order of its rows, where the checkpoint has them. */
  readonly classNames?: readonly string[] | undefined;
  /** Notes for the user on how it was found, one line each. */
  readonly notes?: readonly string[];
  /** The classifier that is drawn anew, if it is. */
  readonly fresh?: NewHead | undefined;
  /** Why a tensor, by their name, is rightly no part of the model; `undefined` for all others. */
  leftOut(name: string): string | undefined;
}
