import { z } from 'zod';
import { requirement } from '../budget/requirement';
import { identityDecision } from '../decision/decision';
import { decisionSchema } from '../decision/schema';
import { type Duration, stepsIn } from '../duration/duration';
import type { Compressed } from '../method/method';
import type { Task } from '../task/task';
import { type HostTensors, downloadTree, uploadTree } from '../tree/host';
import { type TensorTree, cloneTree } from '../tree/tree';
import type { CompressionJob } from './job';
import type { CompressionRun } from './compression-run';
import { type LedgerEntry, ledgerEntrySchema } from './ledger';
import { lookingAt } from './looking';
import { disposingOnFailure } from './retrain';
import { type Json, loadSnapshot, restored, saveSnapshot, toJson } from './store';
import { phaseTrainer } from './trainer';

/** The method's result, from the store when an earlier run got that far. */
export async function searched(job: CompressionJob, task: Task, ledger: LedgerEntry[]): Promise<Compressed> {
  const { store } = job.runner;
  const saved = await loadSnapshot(store, 'compressed', compressedSchema);
  if (saved !== undefined) {
    const { meta, tensors } = saved;
    ledger.push(...meta.ledger);
    const hasWhole = [...tensors.keys()].some((name) => name.startsWith(WHOLE));
    return {
      ...restored(store, 'compressed', () => ({
        params: uploadTree(job.params, withoutPrefix(tensors, WHOLE)),
        ...(hasWhole ? { whole: uploadTree(job.params, tensors, WHOLE) } : {}),
      })),
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
  const { params, decision, whole, findings = null } = compressed;
  await disposingOnFailure(ownTrees(compressed), async () => {
    await saveSnapshot(store, 'compressed', {
      tensors: new Map([
        ...(await downloadTree(params)),
        ...(whole !== undefined && needsWhole(job) ? await downloadTree(whole, WHOLE) : []),
      ]),
      meta: toJson({ decision, ledger, findings }),
    });
  });
  return compressed;
}

/** Before the names of tensors with all units in them, where the method gave some and a reconstruction asks for them. */
const WHOLE = 'whole/';
const needsWhole = ({ reconstruct: choice }: CompressionJob): boolean =>
  choice !== undefined && choice.kind !== 'project';

const withoutPrefix = (tensors: HostTensors, prefix: string): HostTensors =>
  new Map([...tensors].filter(([name]) => !name.startsWith(prefix)));

const jsonSchema: z.ZodType<Json> = z.json();

const compressedSchema = z.object({
  decision: decisionSchema,
  ledger: z.array(ledgerEntrySchema),
  findings: jsonSchema.default(null),
});

function compressionRun(job: CompressionJob, task: Task, ledger: LedgerEntry[]): CompressionRun {
  const { runner, model, params, budget, seed, batches, splits, adversary } = job;
  const { macs } = model.account;
  const lookedAt = { model, params, task, splits, batchSize: batches.batchSize, seed };
  return {
    ...lookingAt(runner, lookedAt, ledger),
    task,
    budget,
    seed,
    stepsIn: (duration: Duration) => stepsIn(duration, batches.stepsPerEpoch),
    train: phaseTrainer(runner, { task, batches, macs, adversary }, ledger),
    note: (text) => {
      runner.report({ kind: 'note', text });
    },
  };
}

/** All trees that a method gives. */
export const ownTrees = ({ params, whole }: Compressed): TensorTree[] =>
  whole === undefined ? [params] : [params, whole];
