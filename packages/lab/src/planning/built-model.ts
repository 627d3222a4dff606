import {
  type Decision,
  type Model,
  type ReconstructionKind,
  type Scores,
  type TensorTree,
  compact,
  disposeTree,
  lendTree,
  reconstruct,
  toJson,
  withoutMerging,
} from '@winnow/core';
import { z } from 'zod';
import { saveTrained } from '../model-source/save-trained';
import { scoreOn } from '../training/data';
import { besideDense } from '../training/latency';
import type { Workload } from '../workload/workload';

/** The things that models are built from. */
export interface Building {
  readonly workload: Workload;
  readonly model: Model;
  /** Lent. */
  readonly params: TensorTree;
  readonly kind: ReconstructionKind;
  readonly batches: readonly { readonly batch: unknown; readonly size: number }[];
  readonly split: 'train' | 'validation' | 'test';
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** The use of a model that is built, beside scoring it. */
export interface BuildUse {
  readonly isTimed: boolean;
  /** A folder that it is saved in. */
  readonly folder?: string | undefined;
}

/** A smaller model's scores, and the median milliseconds that one example takes: of it, and of the dense model beside it. */
export interface Built {
  readonly scores: Scores;
  readonly latency: { readonly ms: number; readonly denseMs: number } | undefined;
}

/** The same as plain data; JSON has no place for what is undefined. */
export const builtSchema: z.ZodType<Built> = z
  .object({
    scores: z.record(z.string(), z.number()),
    latency: z.object({ ms: z.number(), denseMs: z.number() }).optional(),
  })
  .transform(({ scores, latency }): Built => ({ scores, latency }));

/** Cuts a model, reconstructs it, saves it where that is asked, scores it, and times it. */
export async function built(
  { workload, model, params, kind, batches, split, batchSize, signal }: Building,
  decision: Decision,
  { isTimed, folder }: BuildUse,
): Promise<Built> {
  const whole = withoutMerging(model);
  const cut = compact(model, params, decision);
  const found = await lendTree(cut.params, (own) => {
    const small = withoutMerging(cut.model);
    return reconstruct({
      kind,
      sites: whole.sites,
      decision,
      dense: { model: whole, params, task: workload.taskOf(whole) },
      cut: { model: small, params: own, task: workload.taskOf(small) },
      batches,
      signal,
    });
  });
  try {
    if (folder !== undefined) {
      const origin = toJson({ ...workload.origin, method: 'plan', reconstruct: kind });
      const smaller = { model: cut.model, params: found.params, decision: found.decision, origin };
      await saveTrained(folder, workload, smaller);
    }
    return {
      scores: await scoreOn(workload[split], batchSize)(workload.taskOf(cut.model), found.params),
      latency: isTimed
        ? await besideDense(workload, { model, params }, { model: cut.model, params: found.params })
        : undefined,
    };
  } finally {
    disposeTree(found.params);
  }
}
