import type { Account } from '../account/account';
import type { Decision } from '../decision/decision';
import type { Site } from '../sites/site';
import type { ParameterSpec } from '../transformer/parameter';
import { type TensorTree, type Tree, cloneTree, tidyTree } from '../tree/tree';
import type { ClipTextConfig } from './clip-text';
import type { DualEncoderConfig } from './dual-encoder';
import type { MaskedConfig } from './masked';
import type { Prediction } from './prediction';
import type { VisionTransformerConfig } from './vision-transformer-config';

/** Plain data from which a model can be made again; `kind` says which. */
export type ModelConfig = DenseConfig | MaskedConfig;
/** Of a model that has all its weights. */
export type DenseConfig = VisionTransformerConfig | ClipTextConfig | DualEncoderConfig;

/** What stands after the towers, where methods treat it apart. */
export interface Readout {
  /** Paths of the matrices that bring a tower's output to where it is read, [D, P]. */
  readonly projections: readonly { readonly parameter: string; readonly tower: string }[];
  /** Keys of the record under which the task's own parameters stand; all others are the backbone. */
  readonly heads: readonly string[];
}

/** A model is its description and its forward pass; the parameters are kept apart, in a record of type `Params`. */
export interface Model<Params extends TensorTree = TensorTree, Inputs = unknown> {
  readonly config: ModelConfig;
  /** Every parameter's shape and initial value, in the record's own structure. */
  readonly specs: Tree<ParameterSpec>;
  readonly sites: readonly Site[];
  readonly account: Account;
  readonly readout: Readout;
  /** Neither takes nor gives ownership; call it in a tidy. */
  forward(params: Params, inputs: Inputs): Prediction;
  /** The smaller model that a decision leaves. */
  shrink(decision: Decision): Model<Params, Inputs>;
  /**
   * Of a model whose forward pass makes other parameters first: the one that runs. Shared columns stand in every place,
   * masked weights are zeros.
   */
  readonly executed?: {
    readonly model: Model<Params, Inputs>;
    /** Call it in a tidy; the result may share tensors with the parameters. */
    params(params: Params): Params;
  };
}

/** The model that runs, for use without training. The caller owns the parameters, and keeps its own. */
export function runnable<Params extends TensorTree, Inputs>(
  model: Model<Params, Inputs>,
  params: Params,
): { model: Model<Params, Inputs>; params: Params } {
  const { executed } = model;
  if (executed === undefined) return { model, params: cloneTree(params) };
  return { model: executed.model, params: tidyTree(() => cloneTree(executed.params(params))) };
}
