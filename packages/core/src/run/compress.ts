import { z } from 'zod';
import type { Budget } from '../budget/budget';
import { requirement } from '../budget/requirement';
import { compact, compactModel } from '../compact/compact';
import { type Decision, checkDecision, identityDecision } from '../decision/decision';
import { decisionSchema } from '../decision/schema';
import { type Duration, stepsIn } from '../duration/duration';
import type { Compressed, ConfiguredMethod } from '../method/method';
import type { Model } from '../families/model';
import type { Scores, Task } from '../task/task';
import { downloadTree, uploadTree } from '../tree/host';
import { type TensorTree, cloneTree, lendTree } from '../tree/tree';
import type { CompressionRun } from './compression-run';
import { type ObservedSplits, runObservation } from './observation';
import { onceIn } from './once';
import { type LedgerEntry, ledgerEntrySchema } from './ledger';
import { type BestOfRetraining, type RetrainingJob, disposingOnFailure, retrainCut } from './retrain';
import { runSensitivity } from './sensitivity';
import { scoredOnce } from './scored';
import { type Json, loadSnapshot, restored, saveSnapshot, toJson } from './store';
import { phaseTrainer } from './trainer';

/** Everything a compression needs; the dense parameters stay the caller's. */
export interface CompressionJob extends RetrainingJob {
  readonly method: ConfiguredMethod;
  readonly budget: Budget;
  readonly seed: number;
  /** What methods may look at without training on it. */
  readonly splits: ObservedSplits;
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
  readonly best?: BestOfRetraining;
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
  const retrained = await lendTree(cut.params, () => retrainCut(job, cut, ledger));
  ledger.push(retrained.ledger);
  const { beforeRetraining, milestones, final, best } = retrained;
  return {
    model: cut.model,
    params: retrained.params,
    decision,
    achieved,
    scores: { dense, masked, cut: beforeRetraining, milestones, retrained: final },
    ...(best === undefined ? {} : { best }),
    ledger,
    findings: compressed.findings ?? null,
  };
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
  const subject = { task, params, splits, batchSize: batches.batchSize, seed, macs };
  return {
    model,
    params,
    task,
    budget,
    seed,
    stepsIn: (duration: Duration) => stepsIn(duration, batches.stepsPerEpoch),
    train: phaseTrainer(runner, { task, batches, macs, adversary }, ledger),
    observe: async (name, observation) => {
      const { state, ledger: entry } = await runObservation(runner, name, subject, observation);
      ledger.push(entry);
      return state;
    },
    sensitivities: async (name, sensitivity) => {
      const { state, ledger: entry } = await runSensitivity(runner, name, subject, sensitivity);
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
