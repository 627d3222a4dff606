import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { Hooks } from './hooks';

/** Texts, and regions of a picture each. */
export interface RegionInputs extends Hooks {
  /** [B, T] int32 */
  readonly tokens: Tensor2D;
  /** [B, R, F] */
  readonly features: Tensor3D;
  /** Where regions are, in shares of the picture, [B, R, P]. */
  readonly places: Tensor3D;
  /** [B, R], 0 for regions that are padding; without it all are looked at. */
  readonly counts?: Tensor2D;
  /** [B, R], 1 for regions whose features are hidden, of a model that is pre-trained; without it none is. */
  readonly hidden?: Tensor2D;
}
