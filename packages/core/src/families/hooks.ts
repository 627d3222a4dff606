import type { Observe } from '../layers/observe';
import type { Perturb } from './perturbation';

/** What a forward pass shows and lets others change on its way; without hooks it costs nothing. */
export interface Hooks {
  readonly perturb?: Perturb;
  readonly observe?: Observe;
}
