import type { BranchDrop } from '../layers/branch-drop';
import { type Enter, type Observe, enterUnder, observeUnder } from '../layers/observe';
import { type Merge, mergeUnder } from '../layers/token-merging';
import type { Perturb } from './perturbation';

/** Functions that observe a forward pass or change it on its way; without hooks it costs nothing. */
export interface Hooks {
  readonly perturb?: Perturb;
  readonly observe?: Observe;
  readonly enter?: Enter;
  readonly merge?: Merge;
  readonly drop?: BranchDrop;
}

/** The hooks for what stands under `key` in the record. */
export function hooksUnder(hooks: Hooks, key: string): Hooks {
  const observe = observeUnder(hooks.observe, key);
  const enter = enterUnder(hooks.enter, key);
  const merge = mergeUnder(hooks.merge, key);
  return {
    ...hooks,
    ...(observe === undefined ? {} : { observe }),
    ...(enter === undefined ? {} : { enter }),
    ...(merge === undefined ? {} : { merge }),
  };
}
