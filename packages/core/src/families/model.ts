import type { Account } from '../account/account';
import { accountOf } from '../account/account';
import type { Decision } from '../decision/decision';
import { type Ties, cutConfig, planOf } from '../decision/plan';
import type { Layer, Place } from '../layers/layer';
import type { ParameterSpec } from '../layers/parameter';
import type { ParameterMasks } from '../mask/parameter-mask';
import { type Reparametrisation, applied, unchanged } from '../reparametrisation/reparametrisation';
import type { Site } from '../sites/site';
import { pathWithin } from '../tree/path';
import { type TensorTree, type Tree, cloneTree, lendTree, tidyTree } from '../tree/tree';
import type { Prediction } from './prediction';

/** Plain data from which a model of a family can be made again. */
export interface DenseConfig {
  /** The family. */
  readonly kind: string;
  /** Columns that stand in several places and are stored once. */
  readonly ties?: Ties;
}

/** A model with masks of single weights: plain data. */
export interface MaskedConfig {
  readonly kind: 'masked';
  readonly model: DenseConfig;
  readonly masks: ParameterMasks;
}

/** Plain data from which a model can be made again. */
export type ModelConfig = DenseConfig | MaskedConfig;

export const isMasked = (config: ModelConfig): config is MaskedConfig =>
  config.kind === 'masked' && 'masks' in config;

/** The configuration of a model, without its masks if it has some. */
export const denseConfigOf = ({ config }: { readonly config: ModelConfig }): DenseConfig =>
  isMasked(config) ? config.model : config;

/** The parameters after the towers that methods treat apart. */
export interface Readout {
  /** Paths of the matrices that bring a tower's output to where it is read, [D, P]. */
  readonly projections: readonly { readonly parameter: string; readonly tower: string }[];
  /** Keys of the record under which the task's own parameters stand; all others are the backbone. */
  readonly heads: readonly string[];
}

/** Whether a parameter is the task's own. */
export const isOfHead = ({ readout }: Pick<Model, 'readout'>, path: string): boolean =>
  readout.heads.some((head) => path === head || pathWithin(head, path) !== undefined);

/** A model is its description and its forward pass; the parameters are kept apart, in a record of type `Params`. */
export interface Model<
  Params extends TensorTree = TensorTree,
  Inputs = unknown,
  Output extends Prediction = Prediction,
> {
  readonly config: ModelConfig;
  /** Every parameter's shape and initial value, in the record's own structure. */
  readonly specs: Tree<ParameterSpec>;
  readonly sites: readonly Site[];
  readonly account: Account;
  readonly readout: Readout;
  /** It merges tokens on the way, so that what a smaller one sees behind a layer stands for other tokens. */
  readonly mergesTokens?: true;
  /** Neither takes nor gives ownership; call it in a tidy. */
  forward(params: Params, inputs: Inputs): Output;
  /** The smaller model that a decision leaves. */
  shrink(decision: Decision): Model<Params, Inputs, Output>;
  /** The model that runs, where it reads other parameters than are stored. Its own `forward` takes the stored ones. */
  readonly running?: Running<Params, Inputs, Output>;
}

/** A model that runs, and how its parameters come from those that are stored. */
export interface Running<
  Params extends TensorTree = TensorTree,
  Inputs = unknown,
  Output extends Prediction = Prediction,
> {
  readonly model: Model<Params, Inputs, Output>;
  readonly reparametrisation: Reparametrisation<Params>;
}

/** A model that is described by its layers. */
export interface Described<Config extends DenseConfig, Specs extends Tree<ParameterSpec>> {
  readonly config: Config;
  readonly specs: Specs;
  readonly sites: readonly Site[];
  readonly account: Account;
}

/** Specifications, places to cut and account of a model, from its layers. */
export function described<Config extends DenseConfig, Specs extends Tree<ParameterSpec>>(
  config: Config,
  layer: Layer<Specs>,
  place: Place,
): Described<Config, Specs> {
  const { sites, lines } = layer.describe(place);
  return { config, specs: layer.specs, sites, account: accountOf(lines) };
}

/** The configuration of the smaller model that a decision leaves of a model. */
export const shrunkConfig = <Config extends DenseConfig>(
  config: Config,
  sites: readonly Site[],
  decision: Decision,
): Config => cutConfig(config, planOf(sites, decision));

/** The model that runs: training a model means a task on this one, and parameters that become its own at every step. */
export const runningOf = <Params extends TensorTree, Inputs, Output extends Prediction = Prediction>(
  model: Model<Params, Inputs, Output>,
): Running<Params, Inputs, Output> => model.running ?? { model, reparametrisation: unchanged() };

/** Lends the model that runs with its parameters, made once: for everything that reads them without training. */
export async function lendRunning<
  Params extends TensorTree,
  Inputs,
  Result,
  Output extends Prediction = Prediction,
>(
  model: Model<Params, Inputs, Output>,
  stored: Params,
  use: (model: Model<Params, Inputs, Output>, params: Params) => Promise<Result>,
): Promise<Result> {
  const { running } = model;
  if (running === undefined) return use(model, stored);
  const params = tidyTree(() => cloneTree(applied(running.reparametrisation, stored)));
  return lendTree(params, () => use(running.model, params));
}
