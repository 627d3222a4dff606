import { z } from 'zod';
import { compact, compactModel } from '../compact/compact';
import { observedBatches } from '../data/observed';
import { type Decision, sharesOf } from '../decision/decision';
import { decisionSchema } from '../decision/schema';
import { UserError } from '../error/user-error';
import { withoutMerging } from '../families/any-model';
import type { Model } from '../families/model';
import type { Manifest } from '../method/method';
import type { ReconstructionKind } from '../reconstruct/kind';
import { type Reconstructed, reconstruct } from '../reconstruct/reconstruct';
import type { Task } from '../task/task';
import { downloadTree, uploadTree } from '../tree/host';
import { type TensorTree, disposeTree, lendTree } from '../tree/tree';
import { type LedgerEntry, ledgerEntrySchema } from './ledger';
import type { ObservedSplits } from './observation';
import type { Runner } from './phase';
import { loadSnapshot, restored, saveSnapshot, toJson } from './store';

/** The parts that are made up for after the cut, and from how many examples of the training split; they need no labels. */
export interface ReconstructionChoice {
  readonly kind: ReconstructionKind;
  readonly examples: number;
}

/** @throws {UserError} naming the method, when its decisions cannot be reconstructed. */
export function checkReconstruction({ title, granularity, sharesColumns }: Manifest): void {
  if (granularity === 'weights') {
    throw new UserError(
      `${title} masks single weights, which go on from where the dense model began: leave out --reconstruct, which is for whole units`,
    );
  }
  if (granularity === 'blocks') {
    throw new UserError(
      `${title} takes whole blocks, and leaves all others as they are: leave out --reconstruct, which is for units within them`,
    );
  }
  if (sharesColumns === true) {
    throw new UserError(
      `${title} shares columns between places, and a correction for one would change the others: leave out --reconstruct`,
    );
  }
}

/** A run's parts that a reconstruction works with. */
export interface ReconstructionSubject {
  readonly model: Model;
  /** The model with all its units, which is lent: as the search left it, or as it was before. */
  readonly reference: TensorTree;
  readonly decision: Decision;
  readonly splits: ObservedSplits;
  readonly batchSize: number;
  readonly seed: number;
  taskOf(model: Model): Task;
}

/** The smaller model after a reconstruction. */
export interface ReconstructedModel {
  readonly model: Model;
  /** The caller owns them. */
  readonly params: TensorTree;
  readonly decision: Decision;
  readonly ledger: LedgerEntry;
  readonly errors: Reconstructed['errors'];
}

const metaSchema = z.object({
  decision: decisionSchema,
  ledger: ledgerEntrySchema,
  errors: z.record(z.string(), z.object({ before: z.number(), after: z.number() })),
});

const FILE = 'reconstructed';

/** Examples that pass at once: what a block makes of them step by step is held together. */
const AT_ONCE = 16;

/**
 * Cuts a model and reconstructs it, once in a run. Of a model that merges tokens it looks at all of them, and merges afterwards.
 * @throws {UserError} when the decision shares columns, masks weights or takes whole blocks, or the model does not show what it computes.
 */
export async function runReconstruction(
  runner: Runner,
  { kind, examples: asked }: ReconstructionChoice,
  { model, reference, decision, splits, batchSize, seed, taskOf }: ReconstructionSubject,
): Promise<ReconstructedModel> {
  const saved = await loadSnapshot(runner.store, FILE, metaSchema);
  if (saved !== undefined) {
    const { meta, tensors } = saved;
    const cut = compactModel(model, meta.decision);
    const params = restored(runner.store, FILE, () => uploadTree<TensorTree>(cut.specs, tensors));
    return { model: cut, params, ...meta };
  }
  if (decision.masks !== undefined || decision.blocks !== undefined || sharesOf(decision).size > 0) {
    throw new UserError(
      'a decision that masks single weights, shares columns or takes whole blocks cannot be reconstructed: leave out --reconstruct',
    );
  }
  const startMs = performance.now();
  runner.memory?.reset();
  const source = observedBatches(splits.train, {
    ...{ examples: asked, seed, augment: false },
    batchSize: Math.min(batchSize, AT_ONCE),
  });
  runner.report({ kind: 'note', text: `reconstruct: looking at ${source.examples} examples` });
  const batches = await Promise.all(Array.from({ length: source.count }, (_, index) => source.at(index)));
  // A smaller model would merge other tokens: what both give is compared before any are merged.
  const whole = withoutMerging(model);
  const cut = compact(whole, reference, decision);
  const found = await lendTree(cut.params, (params) =>
    reconstruct({
      kind,
      sites: whole.sites,
      decision,
      dense: { model: whole, params: reference, task: taskOf(whole) },
      cut: { model: cut.model, params, task: taskOf(cut.model) },
      batches,
      signal: runner.signal,
    }),
  );
  const { examples } = source;
  const ledger: LedgerEntry = {
    phase: 'reconstruct',
    steps: 0,
    examples,
    trainingMacs: found.macs,
    wallMs: performance.now() - startMs,
    ...(runner.memory === undefined ? {} : { peakMemoryBytes: runner.memory.peakBytes() }),
  };
  const { params, errors } = found;
  try {
    await saveSnapshot(runner.store, FILE, {
      tensors: await downloadTree(params),
      meta: toJson({ decision: found.decision, ledger, errors }),
    });
  } catch (error) {
    disposeTree(params);
    throw error;
  }
  runner.report({ kind: 'note', text: lineOf(examples, errors) });
  return { model: compactModel(model, found.decision), params, decision: found.decision, ledger, errors };
}

function lineOf(examples: number, errors: Reconstructed['errors']): string {
  const shares = Object.values(errors)
    .map(({ before, after }) => (before > 0 ? after / before : 1))
    .sort((a, b) => a - b);
  const middle = shares[Math.floor(shares.length / 2)];
  if (middle === undefined) return 'reconstruct: nothing was removed, nothing is changed';
  const left = Number((100 * middle).toPrecision(2));
  return `reconstruct: ${shares.length} places corrected on ${examples} examples; of the error of a cut ${left} % is left in the middle of them`;
}
