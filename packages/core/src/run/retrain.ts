import type { BatchSource } from '../data/batches';
import { UserError } from '../error/user-error';
import { type Model, lendRunning, runningOf } from '../families/model';
import type { Optimizer } from '../optimizer/optimizer';
import type { Scores, Task } from '../task/task';
import { type Adversary, forwardPassesPerStep } from '../train/adversary';
import type { Learning } from '../train/gradients';
import { type TensorTree, disposeTree } from '../tree/tree';
import { runAveragedPhase } from './averaged';
import type { LedgerEntry, Milestone } from './ledger';
import type { Milestones, Runner } from './phase';
import { scoredOnce } from './scored';

/** The further training of the smaller model. */
export interface Retraining extends Pick<Learning<TensorTree, unknown>, 'microBatches' | 'stochasticDepth'> {
  readonly steps: number;
  /**
   * Training MACs that the search and the retraining may spend together. When given, the retraining takes what the
   * search left, in whole steps of the cut model, and `steps` does not count.
   */
  readonly computeLimit?: number;
  /** Makes the optimiser that retrains the smaller model. */
  optimizer(steps: number, model: Model): Optimizer<TensorTree>;
  /** Numbers of retraining steps after which to score; those that the retraining does not reach are left out. */
  readonly milestones: readonly number[];
  /** Share of the loss that is learning from the dense model's predictions; default 0. */
  readonly distill?: number;
  /** Its batches and its task on a model that runs, where they are others than the search's. */
  readonly batches?: BatchSource<unknown>;
  taskOf?(model: Model): Task;
  /** Decay of the average of the weights that it comes to; default 0: it comes to its last weights. */
  readonly weightAverage?: number;
  readonly patience?: RetrainingPatience;
}

/** The retraining ends once its scores get no better, and comes to the best of them. */
export interface RetrainingPatience {
  /** Steps between evaluations; there is one at the end, too. */
  readonly every: number;
  readonly evaluations: number;
  /** Scores on the split by which choices are made. */
  score(task: Task, params: TensorTree): Promise<Scores>;
}

/** The parts of a compression that its retraining needs. */
export interface RetrainingJob {
  readonly runner: Runner;
  /** The dense model. */
  readonly model: Model;
  readonly params: TensorTree;
  /** The task on a model that runs. */
  taskOf(model: Model): Task;
  readonly batches: BatchSource<unknown>;
  /** Perturbs embedded inputs in every training of the run. */
  readonly adversary?: Adversary;
  /** Scores the parameters that run on the split that the report is about. */
  score(task: Task, params: TensorTree): Promise<Scores>;
  readonly retrain: Retraining;
}

/** The cut model before, in and after its retraining. */
export interface Retrained {
  readonly beforeRetraining: Scores;
  readonly milestones: readonly Milestone[];
  readonly final: Scores;
  /** The caller owns them. */
  readonly params: TensorTree;
  readonly ledger: LedgerEntry;
  readonly best?: BestOfRetraining;
}

/** With patience: the step that the parameters are of, and the steps that were asked for. */
export interface BestOfRetraining {
  readonly step: number;
  readonly asked: number;
}

/**
 * Scores the cut model, retrains it and scores it again.
 * @param spent What the search spent.
 * @throws {UserError} when the search spends more than all the compute there is.
 */
export async function retrainCut(
  { runner, model, params, taskOf, score, batches: searched, retrain, adversary }: RetrainingJob,
  cut: { readonly model: Model; readonly params: TensorTree },
  spent: readonly LedgerEntry[],
): Promise<Retrained> {
  const { optimizer, distill = 0, batches = searched, weightAverage = 0 } = retrain;
  const { microBatches, stochasticDepth } = retrain;
  const trainedAs = (model: Model): Task => retrain.taskOf?.(model) ?? taskOf(model);
  const { model: running, reparametrisation } = runningOf(cut.model);
  const task = trainedAs(running);
  const scoreOf = (name: string, stored: TensorTree): Promise<Scores> =>
    scoredOnce(runner, name, () => lendRunning(cut.model, stored, (_, params) => score(task, params)));
  const beforeRetraining = await scoreOf('scores-cut', cut.params);
  const trainingMacsPerExample =
    forwardPassesPerStep(adversary) * cut.model.account.macs + (distill === 0 ? 0 : model.account.macs);
  const steps =
    retrain.computeLimit === undefined
      ? retrain.steps
      : stepsLeft(retrain.computeLimit, spent, batches.batchSize * trainingMacsPerExample);
  const denseTask = trainedAs(model);
  const teacher = { predict: (batch: unknown) => denseTask.predict(params, batch), weight: distill };
  const { milestones, report } = scoring(retrain, { task, steps, score });
  const { bestStep, ...trained } = await runAveragedPhase(
    runner,
    'retrain',
    {
      params: cut.params,
      task,
      ...(distill === 0 ? {} : { teacher }),
      objective: (params: TensorTree) => ({ params }),
      reparametrisation,
      optimizer: optimizer(steps, cut.model),
      batches,
      ...(adversary === undefined ? {} : { adversary }),
      ...(microBatches === undefined ? {} : { microBatches }),
      ...(stochasticDepth === undefined ? {} : { stochasticDepth }),
      steps,
    },
    weightAverage,
    { trainingMacsPerExample, milestones },
  );
  const final = await disposingOnFailure(trained.params, () => scoreOf('scores-retrained', trained.params));
  return {
    ...trained,
    ...(bestStep === undefined ? {} : { best: { step: bestStep, asked: steps } }),
    beforeRetraining,
    milestones: report(trained.milestones, final),
    final,
  };
}

/** The prefix of scores that patience is about, beside those of the report. */
const VALIDATION = 'validation/';

/** When a retraining is scored, on which split, and what of it the report is about. */
function scoring(
  { milestones, patience }: Pick<Retraining, 'milestones' | 'patience'>,
  { task, steps, score }: Pick<RetrainingJob, 'score'> & { readonly task: Task; readonly steps: number },
): {
  readonly milestones: Milestones;
  report(reached: readonly Milestone[], final: Scores): readonly Milestone[];
} {
  if (patience === undefined) {
    const isLast = milestones.includes(steps) && steps > 0;
    return {
      milestones: {
        at: milestones.filter((step) => step < steps),
        score: (params) => score(task, params),
      },
      // The last step's scores are known: they are the final ones.
      report: (reached, scores) => [...reached, ...(isLast ? [{ step: steps, scores }] : [])],
    };
  }
  const { every, evaluations } = patience;
  const evaluated = Array.from({ length: Math.floor(steps / every) }, (_, index) => (index + 1) * every);
  return {
    milestones: {
      at: [...new Set([...evaluated, ...milestones, steps])].filter((step) => step > 0 && step <= steps),
      score: async (params, step) => ({
        ...(milestones.includes(step) ? await score(task, params) : {}),
        ...Object.fromEntries(
          Object.entries(await patience.score(task, params)).map(([name, value]) => [
            VALIDATION + name,
            value,
          ]),
        ),
      }),
      patience: { metric: VALIDATION + task.metric, evaluations },
    },
    report: (reached) =>
      reached.flatMap(({ step, scores }) =>
        milestones.includes(step)
          ? [
              {
                step,
                scores: Object.fromEntries(
                  Object.entries(scores).filter(([name]) => !name.startsWith(VALIDATION)),
                ),
              },
            ]
          : [],
      ),
  };
}

/** Whole steps in what the phases so far have left of a limit. */
function stepsLeft(computeLimit: number, spent: readonly LedgerEntry[], trainingMacsPerStep: number): number {
  const used = spent.reduce((sum, { trainingMacs }) => sum + trainingMacs, 0);
  if (used > computeLimit) {
    const share = (used / computeLimit).toFixed(2);
    throw new UserError(
      `the search spent ${share} times the compute that search and retraining may spend together: allow more, or search for less long`,
    );
  }
  return Math.floor((computeLimit - used) / trainingMacsPerStep);
}

/** Lets go of parameters that nobody will own when the work on them fails. */
export async function disposingOnFailure<Result>(
  tree: TensorTree,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    disposeTree(tree);
    throw error;
  }
}
