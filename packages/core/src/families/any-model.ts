import { type NamedTensors, uploadTree } from '../tree/host';
import type { TensorTree } from '../tree/tree';
import type { AnyDenseModel, Family } from './family';
import { type Masked, masked } from './masked';
import { type DenseConfig, type Model, type ModelConfig, denseConfigOf, isMasked } from './model';
import { familyOf } from './table';

/** A model with masks of single weights, and its parameters. */
export interface AnyMaskedModel {
  readonly kind: 'masked';
  readonly model: Masked;
  readonly params: TensorTree;
  /** The same parameters, zeros among them, in the model without its masks: it says the same of any input. */
  readonly dense: AnyDenseModel;
}

/** A model of any family with parameters of its own. */
export type AnyModel = (AnyDenseModel & { readonly dense?: undefined }) | AnyMaskedModel;

/** The model that a configuration describes. @throws {RangeError} when the table has no such family. */
export function modelOf(config: ModelConfig, table?: readonly Family[]): Model {
  if (!isMasked(config)) return familyOf(config, table).make(config);
  return masked<TensorTree, unknown>(modelOf(config.model, table), config.masks);
}

/**
 * The same model with the same parameters, whose tokens all go through every block.
 * @throws {RangeError} when its family cannot leave their merging out.
 */
export function withoutMerging(model: Model): Model {
  if (model.mergesTokens === undefined) return model;
  const config = denseConfigOf(model);
  const family = familyOf(config);
  const { merging } = family.pictures ?? {};
  if (merging === undefined)
    throw new RangeError(`a ${config.kind} merges its tokens, and cannot be without`);
  return family.make(merging(config, undefined));
}

/** A model as one that has all its weights: zeros stand where masks were. The parameters stay the same tensors. */
export const asDense = (any: AnyModel): AnyDenseModel => any.dense ?? any;

/**
 * The model of a configuration with uploaded parameters, which the caller owns.
 * @throws {RangeError} listing tensors that do not fit its specs.
 */
export function anyModel(
  config: DenseConfig,
  tensors: NamedTensors,
  table?: readonly Family[],
): AnyDenseModel;
export function anyModel(config: ModelConfig, tensors: NamedTensors, table?: readonly Family[]): AnyModel;
export function anyModel(config: ModelConfig, tensors: NamedTensors, table?: readonly Family[]): AnyModel {
  if (isMasked(config)) {
    const dense = anyModel(config.model, tensors, table);
    const model = masked<TensorTree, unknown>(dense.model, config.masks);
    return { kind: config.kind, model, params: dense.params, dense };
  }
  const model = familyOf(config, table).make(config);
  return { kind: config.kind, model, params: uploadTree<TensorTree>(model.specs, tensors) };
}
