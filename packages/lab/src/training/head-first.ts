import {
  type LedgerEntry,
  type Model,
  type Runner,
  type TensorTree,
  cloneTree,
  disposeTree,
  entriesOf,
  isOfHead,
  mapTree,
  runPhase,
  runningOf,
  stepsIn,
} from '@winnow/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { TaskTraining } from './on-task';
import { optimizerFor } from './optimizer';

/**
 * Trains the head alone, the backbone frozen, as a phase of its own: linear probing before fine-tuning, so that a head that
 * was just drawn does not spoil pre-trained features (Kumar et al., 2022, LP-FT). Nothing is differentiated below the head,
 * and the ledger charges one forward pass, and the head's backward pass. Parameters are only lent; the caller owns the new
 * ones.
 */
export async function trainHead(
  runner: Runner,
  params: TensorTree,
  {
    model,
    task,
    batches,
    optimization,
    duration,
    learningRate,
    microBatches = 1,
  }: Omit<TaskTraining, 'milestones' | 'phase'>,
): Promise<{ params: TensorTree; ledger: LedgerEntry }> {
  const head = Object.fromEntries(entriesOf<Tensor>(params).filter(([path]) => isOfHead(model, path)));
  const steps = stepsIn(duration, batches.stepsPerEpoch);
  const withHead = (own: TensorTree): TensorTree => {
    const leaves = new Map(entriesOf<Tensor>(own));
    return mapTree(params, (leaf, path) => leaves.get(path) ?? leaf);
  };
  const { params: trained, ledger } = await runPhase(
    runner,
    'head',
    {
      params: head,
      state: {},
      task,
      objective: (own: Record<string, Tensor>) => ({ params: withHead(own) }),
      reparametrisation: runningOf(model).reparametrisation,
      optimizer: optimizerFor<Record<string, Tensor>>(model, optimization, { learningRate, steps }),
      batches,
      microBatches,
      steps,
    },
    { trainingMacsPerExample: model.account.macs + 2 * headMacs(model) },
  );
  const whole = cloneTree(withHead(trained));
  disposeTree(trained);
  return { params: whole, ledger };
}

const headMacs = (model: Model): number =>
  model.account.lines.reduce((sum, { part, macs }) => sum + (isOfHead(model, part) ? macs : 0), 0);
