import {
  type Decision,
  type Latency,
  type Model,
  type ReconstructionKind,
  type Scores,
  type TensorTree,
  compact,
  disposeTree,
  lendTree,
  reconstruct,
} from '@winnow/core';
import { scoreOn } from '../training/data';
import { latencyOn } from '../training/latency';
import type { Workload } from '../workload/workload';

/** What models are built from. */
export interface Building {
  readonly workload: Workload;
  readonly model: Model;
  /** Lent. */
  readonly params: TensorTree;
  readonly kind: ReconstructionKind;
  readonly batches: readonly { readonly batch: unknown; readonly size: number }[];
  readonly split: 'train' | 'validation' | 'test';
  readonly batchSize: number;
  /** Whether they are timed. */
  readonly latency: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A smaller model's scores, and how long one example takes. */
export interface Built {
  readonly scores: Scores;
  readonly latency: Latency | undefined;
}

/** Cuts a model, reconstructs it, scores it, and times it. */
export async function built(
  { workload, model, params, kind, batches, split, batchSize, latency, signal }: Building,
  decision: Decision,
): Promise<Built> {
  const cut = compact(model, params, decision);
  const found = await lendTree(cut.params, (own) =>
    reconstruct({
      kind,
      sites: model.sites,
      decision,
      dense: { model, params, task: workload.taskOf(model) },
      cut: { model: cut.model, params: own, task: workload.taskOf(cut.model) },
      batches,
      signal,
    }),
  );
  try {
    return {
      scores: await scoreOn(workload[split], batchSize)(workload.taskOf(cut.model), found.params),
      latency: latency ? await latencyOn(workload, cut.model, found.params) : undefined,
    };
  } finally {
    disposeTree(found.params);
  }
}
