import type { ParameterSpec } from '../layers/parameter';
import { type Tree, entriesOf } from '../tree/tree';

/** The factor of the learning rate for a parameter, by its path. */
export type LearningRateScale = (path: string) => number;

/** The rule where nothing else is said: one rate for all. */
export const uniformRate: LearningRateScale = () => 1;

/**
 * Learning-rate decay by layer: the head and the last norm move at the whole rate, and each layer below moves `decay`
 * times as fast as the one above it; patches, tokens, words and positions are the lowest. Published in ELECTRA (Clark et
 * al., 2020, Appendix B, as in its code) and BEiT (Bao et al., 2022, Appendix H); the scale is that of MAE's code,
 * `util/lr_decay.py`: decay^(depth + 1 − layer). Every tower counts by itself; a cut leaves a parameter in its layer.
 * @param decay 1 moves all layers alike.
 * @param prefix what stands before the model's paths in the tree that is trained, `weights.` say; what stands beside the
 * model in it moves at the whole rate.
 */
export function layerwiseDecay(specs: Tree<ParameterSpec>, decay: number, prefix = ''): LearningRateScale {
  if (decay === 1) return uniformRate;
  const scales = new Map(
    entriesOf<ParameterSpec>(specs).map(([path, { layersAbove = 0 }]) => [
      prefix + path,
      decay ** layersAbove,
    ]),
  );
  return (path) => scales.get(path) ?? 1;
}
