import type { BranchDrop } from '../layers/branch-drop';
import type { Enter, Observe } from '../layers/observe';
import type { Perturb } from './perturbation';

/** Functions that observe a forward pass or change it on its way; without hooks it costs nothing. */
export interface Hooks {
  readonly perturb?: Perturb;
  readonly observe?: Observe;
  readonly enter?: Enter;
  readonly drop?: BranchDrop;
}
