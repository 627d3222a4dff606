import { type Granularity, requirement } from '../budget/requirement';
import { compact, compactModel } from '../compact/compact';
import { type Decision, checkDecision } from '../decision/decision';
import type { Model } from '../families/model';
import type { Compressed } from '../method/method';
import type { Scores } from '../task/task';
import { type TensorTree, lendTree } from '../tree/tree';
import type { CompressionJob } from './job';
import type { LedgerEntry } from './ledger';
import { type ReconstructedModel, checkReconstruction, runReconstruction } from './reconstruction';
import { type BestOfRetraining, retrainCut } from './retrain';
import { scoredOnce } from './scored';
import { ownTrees, searched } from './search';
import type { Json } from './store';

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
  /** With a reconstruction, the errors of each site that was corrected. */
  readonly reconstruction?: ReconstructedModel['errors'];
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
  const { manifest } = method;
  requirement(model, budget, manifest.granularity); // whatever the method's own plan checks
  if (job.reconstruct !== undefined) checkReconstruction(manifest);
  const { granularity = manifest.granularity } = method.plan(model, budget);
  requirement(model, budget, granularity);
  if (job.reconstruct !== undefined)
    checkReconstruction({ ...manifest, ...(granularity === undefined ? {} : { granularity }) });
  const ledger: LedgerEntry[] = [];
  const task = job.taskOf(model);
  const dense = await scoredOnce(runner, 'scores-dense', () => score(task, params));

  const compressed = await searched(job, task, ledger);
  const { achieved, masked, cut } = await lendTree(ownTrees(compressed), async () => ({
    achieved: checkAchieved(job, compressed.decision, granularity),
    masked: await scoredOnce(runner, 'scores-masked', () => score(task, compressed.params)),
    cut: await cutOf(job, compressed, ledger),
  }));
  const { decision } = cut;
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
    ...(cut.errors === undefined ? {} : { reconstruction: cut.errors }),
  };
}

/** The smaller model: as the method left it, or reconstructed. The caller owns its parameters. */
async function cutOf(
  job: CompressionJob,
  { params, whole, decision }: Compressed,
  ledger: LedgerEntry[],
): Promise<Omit<ReconstructedModel, 'ledger' | 'errors'> & Partial<Pick<ReconstructedModel, 'errors'>>> {
  const { runner, model, reconstruct: choice, splits, batches, seed, taskOf } = job;
  if (choice === undefined) return { ...compact(model, params, decision), decision };
  const found = await runReconstruction(runner, choice, {
    model,
    reference: choice.kind === 'project' ? job.params : (whole ?? params),
    decision,
    splits,
    batchSize: batches.batchSize,
    seed,
    taskOf,
  });
  ledger.push(found.ledger);
  return found;
}

/** The budget is met when the removed amount is the asked one or up to one unit or weight more. */
function checkAchieved(
  { model, budget, method }: CompressionJob,
  decision: Decision,
  granularity: Granularity | undefined,
): CompressionResult['achieved'] {
  checkDecision(decision, model.sites);
  const { amount, total, step } = requirement(model, budget, granularity);
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
