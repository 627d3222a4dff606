import { weightAverage } from '../train/average';
import type { Objective } from '../train/gradients';
import type { Training } from '../train/train';
import { type TensorTree, disposeTree } from '../tree/tree';
import { type PhaseOptions, type PhaseResult, type Runner, runPhase } from './phase';

/** A training without a state of its own. */
export type StatelessTraining<Params extends TensorTree, Forward extends TensorTree, Batch> = Omit<
  Training<Params, Forward, TensorTree, Batch>,
  'state' | 'afterStep' | 'objective'
> & { objective(params: Params, step: number): Objective<Forward> };

/**
 * A phase without a state of its own that comes to the moving average of its weights (`weightAverage`): the average is scored,
 * and kept where it is the best.
 * @param decay Of the average, below 1; with 0 the phase comes to its last weights.
 */
export async function runAveragedPhase<Params extends TensorTree, Forward extends TensorTree, Batch>(
  runner: Runner,
  name: string,
  training: StatelessTraining<Params, Forward, Batch>,
  decay: number,
  options: PhaseOptions,
): Promise<Omit<PhaseResult<Params, TensorTree>, 'state'>> {
  if (decay === 0) {
    const { state: _, ...trained } = await runPhase(runner, name, { ...training, state: {} }, options);
    return trained;
  }
  const averaging = weightAverage(training.params, decay);
  const { state, ...trained } = await runPhase(
    runner,
    name,
    { ...training, ...averaging },
    options,
    ({ state: { average } }) => average,
  );
  if (trained.bestStep !== undefined) {
    disposeTree(state);
    return trained;
  }
  disposeTree(trained.params);
  return { ...trained, params: state.average };
}
