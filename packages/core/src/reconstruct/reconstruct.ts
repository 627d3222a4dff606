import type { Decision } from '../decision/decision';
import type { Model } from '../families/model';
import type { Site } from '../sites/site';
import type { Task } from '../task/task';
import { type TensorTree, disposeTree } from '../tree/tree';
import { type SiteGroup, byBlock, decisionAfter, inOrder, removedFrom } from './groups';
import { correctHeads } from './head';
import type { ReconstructionKind } from './kind';
import { scout } from './scout';
import { type CutSite, type SiteErrors, correctBias, correctReader } from './site';
import { type DenseSight, errorMeansOf, errorsOf, rebase, seeDense } from './sight';
import { type CalibrationBatch, type Stream, streamOf } from './stream';
import { changingWeights } from './weights';

/** A model that runs, with its parameters, which are lent. */
export interface RunningModel {
  readonly model: Pick<Model, 'account' | 'readout'>;
  readonly task: Pick<Task, 'predict' | 'slice'>;
  readonly params: TensorTree;
}

export interface ReconstructionOptions {
  readonly kind: ReconstructionKind;
  /** Sites of the dense model. */
  readonly sites: readonly Site[];
  readonly decision: Decision;
  /** The model with all its units: what the smaller one is to do. */
  readonly dense: RunningModel;
  /** The cut model, as `compact` makes it. */
  readonly cut: RunningModel;
  /** Examples without labels; at least one. */
  readonly batches: readonly CalibrationBatch[];
  readonly signal?: AbortSignal | undefined;
}

export interface Reconstructed {
  /** Parameters of the cut model's shapes; the caller owns them. */
  readonly params: TensorTree;
  /** The decision, with the units that stay now. */
  readonly decision: Decision;
  /** By site of which units went, on the calibration examples. */
  readonly errors: Readonly<Record<string, SiteErrors>>;
  /** Multiply–accumulates of all forward passes. */
  readonly macs: number;
}

/**
 * Makes up for the units that a decision drops, without labels and without training: a function from parameters to parameters.
 * Site by site from the input, the map that reads a site is corrected by least squares, so that with what the corrected smaller
 * model gives it, it says what the dense model says there (asymmetric targets, as in GPTQ: Frantar et al., 2023; layer by layer
 * as in CORP, arXiv 2602.05243). Sites of which nothing goes stay as they are.
 *
 * Each model runs some two times in all, as passes begin at the block where the work stands; where blocks look at each other,
 * every site takes whole passes. Beside the parameters it holds the states of both models for all examples, and what one
 * block's maps add.
 * @throws {UserError} naming the site, where the model does not show what is read there.
 */
export async function reconstruct(options: ReconstructionOptions): Promise<Reconstructed> {
  const { kind, sites, decision, dense, cut, batches, signal } = options;
  const { taps, onceSeen, blocks } = scout(dense.task, dense.params, fewOf(dense.task, batches));
  const work = inOrder(removedFrom(sites, decision), taps);
  const weights = { dense: changingWeights(dense.params), cut: changingWeights(cut.params) };
  const streamFor = ({ task, model }: RunningModel, params: () => TensorTree): Stream =>
    streamOf({ task, account: model.account, batches, blocks, onceSeen, signal, params });
  const streams = {
    dense: streamFor(dense, () => dense.params),
    cut: streamFor(cut, weights.cut.now),
  };
  const errors: Record<string, SiteErrors> = {};
  const kept: Record<string, readonly number[]> = {};
  const ofBias = async (own: CutSite, group: SiteGroup, seen: DenseSight): Promise<SiteErrors> => {
    const moments = await errorMeansOf(own, group, seen, streams.cut, weights.cut);
    try {
      return await correctBias(own, moments, weights.cut);
    } finally {
      disposeTree(moments);
    }
  };
  const ofMap = async (own: CutSite, group: SiteGroup, seen: DenseSight): Promise<SiteErrors> => {
    const moments = await errorsOf(own, group, seen, streams.cut, weights.cut);
    try {
      return await correctReader(own, moments, weights.cut);
    } finally {
      disposeTree(moments);
    }
  };
  const correct = async (group: SiteGroup, next: string | undefined): Promise<void> => {
    const seen = await seeDense(group, next, kind, streams.dense);
    try {
      for (const own of group.sites) {
        kept[own.site.id] = await rebase(own, kind, seen, weights);
        const correction = kind === 'bias' ? ofBias : ofMap;
        errors[own.site.id] = await correction(own, group, seen);
      }
    } finally {
      seen.dispose();
    }
  };
  try {
    const groups = byBlock(work, blocks);
    for (const [index, group] of groups.entries()) {
      if (group.block !== undefined) {
        await streams.dense.moveTo(group.block);
        await streams.cut.moveTo(group.block);
      }
      await correct(group, groups[index + 1]?.block);
    }
    if (work.length > 0) await correctHeads(dense.model.readout.heads, taps, streams, weights.cut);
    return {
      params: weights.cut.copy(),
      decision: decisionAfter(decision, work, kept, kind),
      errors,
      macs: streams.dense.macs() + streams.cut.macs(),
    };
  } finally {
    streams.dense.dispose();
    streams.cut.dispose();
    weights.cut.dispose();
  }
}

/** At most two examples of the first batch, where the task can take a part of it. */
function fewOf({ slice }: RunningModel['task'], [first]: readonly CalibrationBatch[]): unknown {
  if (first === undefined) throw new RangeError('expected examples to calibrate on, got none');
  return slice?.(first.batch, 0, Math.min(2, first.size)) ?? first.batch;
}
