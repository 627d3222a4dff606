import { z } from 'zod';
import type { Budget } from '../budget/budget';
import { requirement } from '../budget/requirement';
import { compact, compactModel } from '../compact/compact';
import type { BatchSource } from '../data/batches';
import { type Decision, checkDecision, identityDecision } from '../decision/decision';
import { decisionSchema } from '../decision/schema';
import { type Duration, stepsIn } from '../duration/duration';
import { UserError } from '../error/user-error';
import type { Compressed, ConfiguredMethod } from '../method/method';
import { type Model, lendRunning, runningOf } from '../families/model';
import type { Optimizer } from '../optimizer/optimizer';
import { type Adversary, forwardPassesPerStep } from '../train/adversary';
import type { Scores, Task } from '../task/task';
import { downloadTree, uploadTree } from '../tree/host';
import { type TensorTree, cloneTree, disposeTree, lendTree } from '../tree/tree';
import type { CompressionRun } from './compression-run';
import { type ObservedSplits, runObservation } from './observation';
import { onceIn } from './once';
import { type LedgerEntry, ledgerEntrySchema } from './ledger';
import { type Runner, runPhase } from './phase';
import { scoredOnce } from './scored';
import { type Json, loadSnapshot, restored, saveSnapshot, toJson } from './store';
import { phaseTrainer } from './trainer';

/** Everything a compression needs; the dense parameters stay the caller's. */
export interface CompressionJob {
  readonly runner: Runner;
  readonly method: ConfiguredMethod;
  readonly budget: Budget;
  readonly seed: number;
  readonly model: Model;
  readonly params: TensorTree;
  /** The task on a model that runs. */
  taskOf(model: Model): Task;
  readonly batches: BatchSource<unknown>;
  /** What methods may look at without training on it. */
  readonly splits: ObservedSplits;
  /** Perturbs embedded inputs in every training of the run. */
  readonly adversary?: Adversary;
  /** Scores the parameters that run on the split that the report is about. */
  score(task: Task, params: TensorTree): Promise<Scores>;
  readonly retrain: {
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
  };
}

export interface CompressionScores {
  readonly dense: Scores;
  /** The dense-shaped model with the method's final masks. */
  readonly masked: Scores;
  /** The smaller model, before any retraining. */
  readonly cut: Scores;
  /** The smaller model during retraining, by steps done. */
  readonly milestones: readonly { readonly step: number; readonly scores: Scores }[];
  readonly retrained: Scores;
}

export interface CompressionResult {
  readonly model: Model;
  /** The caller owns them. */
  readonly params: TensorTree;
  readonly decision: Decision;
  readonly achieved: { readonly removed: number; readonly asked: number; readonly total: number };
  readonly scores: CompressionScores;
  readonly ledger: readonly LedgerEntry[];
  /** Whatever else the method found. */
  readonly findings: Json;
}

/**
 * Search, cut, retrain, and score each of them. A finished part is not repeated after a crash.
 * @throws {UserError} when the budget or the method's options do not fit the model, or the search spends more than all
 * the compute there is.
 * @throws {RangeError} when the method misses the budget or decides nothing: the method's mistake.
 */
export async function runCompression(job: CompressionJob): Promise<CompressionResult> {
  const { runner, method, budget, model, params, score } = job;
  requirement(model, budget, method.manifest.granularity); // whatever the method's own plan checks
  method.plan(model, budget);
  const ledger: LedgerEntry[] = [];
  const task = job.taskOf(model);
  const dense = await scoredOnce(runner, 'scores-dense', () => score(task, params));

  const compressed = await searched(job, task, ledger);
  const { decision } = compressed;
  const { achieved, masked, cut } = await lendTree(compressed.params, async () => ({
    achieved: checkAchieved(job, decision),
    masked: await scoredOnce(runner, 'scores-masked', () => score(task, compressed.params)),
    cut: compact(model, compressed.params, decision),
  }));
  const { beforeRetraining, retrained, milestones, final } = await lendTree(cut.params, () =>
    finished(job, task, cut, ledger),
  );
  ledger.push(retrained.ledger);
  return {
    model: cut.model,
    params: retrained.params,
    decision,
    achieved,
    scores: { dense, masked, cut: beforeRetraining, milestones, retrained: final },
    ledger,
    findings: compressed.findings ?? null,
  };
}

/** Scores the cut model, retrains it and scores it again. */
async function finished(
  { runner, model, params, taskOf, score, batches, retrain, adversary }: CompressionJob,
  denseTask: Task,
  cut: { readonly model: Model; readonly params: TensorTree },
  spent: readonly LedgerEntry[],
) {
  const { model: running, reparametrisation } = runningOf(cut.model);
  const task = taskOf(running);
  const scoreOf = (name: string, stored: TensorTree): Promise<Scores> =>
    scoredOnce(runner, name, () => lendRunning(cut.model, stored, (_, params) => score(task, params)));
  const beforeRetraining = await scoreOf('scores-cut', cut.params);
  const { optimizer, milestones, distill = 0 } = retrain;
  const trainingMacsPerExample =
    forwardPassesPerStep(adversary) * cut.model.account.macs + (distill === 0 ? 0 : model.account.macs);
  const steps =
    retrain.computeLimit === undefined
      ? retrain.steps
      : stepsLeft(retrain.computeLimit, spent, batches.batchSize * trainingMacsPerExample);
  const teacher = { predict: (batch: unknown) => denseTask.predict(params, batch), weight: distill };
  const retrained = await runPhase(
    runner,
    'retrain',
    {
      params: cut.params,
      state: {},
      task,
      ...(distill === 0 ? {} : { teacher }),
      objective: (params: TensorTree) => ({ params }),
      reparametrisation,
      optimizer: optimizer(steps, cut.model),
      batches,
      ...(adversary === undefined ? {} : { adversary }),
      steps,
    },
    {
      trainingMacsPerExample,
      milestones: {
        at: milestones.filter((step) => step < steps),
        score: (params) => score(task, params),
      },
    },
  );
  const final = await disposingOnFailure(retrained.params, () =>
    scoreOf('scores-retrained', retrained.params),
  );
  // The last step's scores are known: they are the final ones.
  const last = milestones.includes(steps) && steps > 0 ? [{ step: steps, scores: final }] : [];
  return { beforeRetraining, retrained, milestones: [...retrained.milestones, ...last], final };
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

async function disposingOnFailure<Result>(tree: TensorTree, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    disposeTree(tree);
    throw error;
  }
}

/** The method's result, from the store when an earlier run got that far. */
async function searched(job: CompressionJob, task: Task, ledger: LedgerEntry[]): Promise<Compressed> {
  const { store } = job.runner;
  const saved = await loadSnapshot(store, 'compressed', compressedSchema);
  if (saved !== undefined) {
    const { meta, tensors } = saved;
    ledger.push(...meta.ledger);
    return {
      params: restored(store, 'compressed', () => uploadTree(job.params, tensors)),
      decision: meta.decision,
      ...(meta.findings === null ? {} : { findings: meta.findings }),
    };
  }
  // Nothing to remove: the identity, without a search.
  const { model, budget, method } = job;
  const identity = requirement(model, budget, method.manifest.granularity).amount === 0;
  const compressed = identity
    ? { params: cloneTree(job.params), decision: identityDecision }
    : await job.method.compress(compressionRun(job, task, ledger));
  await disposingOnFailure(compressed.params, async () =>
    saveSnapshot(store, 'compressed', {
      tensors: await downloadTree(compressed.params),
      meta: toJson({ decision: compressed.decision, ledger, findings: compressed.findings ?? null }),
    }),
  );
  return compressed;
}

const jsonSchema: z.ZodType<Json> = z.json();

const compressedSchema = z.object({
  decision: decisionSchema,
  ledger: z.array(ledgerEntrySchema),
  findings: jsonSchema.default(null),
});

function compressionRun(job: CompressionJob, task: Task, ledger: LedgerEntry[]): CompressionRun {
  const { runner, model, params, budget, seed, batches, splits, adversary } = job;
  const { macs } = model.account;
  return {
    model,
    params,
    task,
    budget,
    seed,
    stepsIn: (duration: Duration) => stepsIn(duration, batches.stepsPerEpoch),
    train: phaseTrainer(runner, { task, batches, macs, adversary }, ledger),
    observe: async (name, observation) => {
      const subject = { task, params, splits, batchSize: batches.batchSize, seed, macs };
      const { state, ledger: entry } = await runObservation(runner, name, subject, observation);
      ledger.push(entry);
      return state;
    },
    once: (name, schema, work) => onceIn(runner.store, name, schema, work),
    note: (text) => {
      runner.report({ kind: 'note', text });
    },
  };
}

/** The budget is met when the removed amount is the asked one or up to one unit or weight more. */
function checkAchieved(
  { model, budget, method }: CompressionJob,
  decision: Decision,
): CompressionResult['achieved'] {
  checkDecision(decision, model.sites);
  const { amount, total, step } = requirement(model, budget, method.manifest.granularity);
  // Measured on the models themselves: what is shared or pruned by columns has no cost per unit.
  const measure = budget.unit === 'macs' ? 'macs' : 'parameters';
  const removed = model.account[measure] - compactModel(model, decision).account[measure];
  if (removed < amount * (1 - 1e-6) || removed > amount + step) {
    throw new RangeError(
      `${method.manifest.name} removed ${removed} of ${total} ${budget.unit}; the budget asks for ${amount}`,
    );
  }
  return { removed, asked: amount, total };
}
