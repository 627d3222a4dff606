import { type NamedTensors, uploadTree } from '../tree/host';
import type { TensorTree } from '../tree/tree';
import { type ClipText, type ClipTextParams, clipText } from './clip-text';
import { type DualEncoder, type DualEncoderParams, dualEncoder } from './dual-encoder';
import { type Masked, masked } from './masked';
import type { DenseConfig, ModelConfig } from './model';
import {
  type VisionTransformer,
  type VisionTransformerParams,
  visionTransformer,
} from './vision-transformer';

/** A model of any kind that has all its weights, with parameters of its own. */
export type AnyDenseModel =
  | {
      readonly kind: 'vision-transformer';
      readonly model: VisionTransformer;
      readonly params: VisionTransformerParams;
    }
  | { readonly kind: 'clip-text'; readonly model: ClipText; readonly params: ClipTextParams }
  | { readonly kind: 'dual-encoder'; readonly model: DualEncoder; readonly params: DualEncoderParams };

/** A model of any kind with parameters of its own. */
export type AnyModel =
  | AnyDenseModel
  | {
      readonly kind: 'masked';
      readonly model: Masked;
      readonly params: TensorTree;
      /** The same parameters, zeros among them, in the model without its masks: it says the same of any input. */
      readonly dense: AnyDenseModel;
    };

/** The model that a configuration describes. */
export function modelOf(config: DenseConfig): AnyDenseModel['model'];
export function modelOf(config: ModelConfig): AnyModel['model'];
export function modelOf(config: ModelConfig): AnyModel['model'] {
  return config.kind === 'masked'
    ? masked<TensorTree, unknown>(modelOfDense(config.model), config.masks)
    : modelOfDense(config);
}

function modelOfDense(config: DenseConfig): AnyDenseModel['model'] {
  switch (config.kind) {
    case 'vision-transformer':
      return visionTransformer(config);
    case 'clip-text':
      return clipText(config);
    case 'dual-encoder':
      return dualEncoder(config);
    default:
      return config satisfies never;
  }
}

/** The configuration of a model, without its masks if it has some. */
export const denseConfigOf = ({ config }: { readonly config: ModelConfig }): DenseConfig =>
  config.kind === 'masked' ? config.model : config;

/** A model as one that has all its weights: zeros stand where masks were. The parameters stay the same tensors. */
export const asDense = (any: AnyModel): AnyDenseModel => (any.kind === 'masked' ? any.dense : any);

/**
 * The model of a configuration with uploaded parameters, which the caller owns.
 * @throws {RangeError} listing tensors that do not fit its specs.
 */
export function anyModel(config: DenseConfig, tensors: NamedTensors): AnyDenseModel;
export function anyModel(config: ModelConfig, tensors: NamedTensors): AnyModel;
export function anyModel(config: ModelConfig, tensors: NamedTensors): AnyModel {
  if (config.kind !== 'masked') return anyDenseModel(config, tensors);
  const dense = anyDenseModel(config.model, tensors);
  const model = masked<TensorTree, unknown>(dense.model, config.masks);
  return { kind: config.kind, model, params: dense.params, dense };
}

function anyDenseModel(config: DenseConfig, tensors: NamedTensors): AnyDenseModel {
  switch (config.kind) {
    case 'vision-transformer': {
      const model = visionTransformer(config);
      return { kind: config.kind, model, params: uploadTree(model.specs, tensors) };
    }
    case 'clip-text': {
      const model = clipText(config);
      return { kind: config.kind, model, params: uploadTree(model.specs, tensors) };
    }
    case 'dual-encoder': {
      const model = dualEncoder(config);
      return { kind: config.kind, model, params: uploadTree(model.specs, tensors) };
    }
    default:
      return config satisfies never;
  }
}
