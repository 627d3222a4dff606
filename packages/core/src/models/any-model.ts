import { type NamedTensors, uploadTree } from '../tree/host';
import { type ClipText, type ClipTextParams, clipText } from './clip-text';
import { type DualEncoder, type DualEncoderParams, dualEncoder } from './dual-encoder';
import type { ModelConfig } from './model';
import {
  type VisionTransformer,
  type VisionTransformerParams,
  visionTransformer,
} from './vision-transformer';

/** A model of any kind with parameters of its own. */
export type AnyModel =
  | {
      readonly kind: 'vision-transformer';
      readonly model: VisionTransformer;
      readonly params: VisionTransformerParams;
    }
  | { readonly kind: 'clip-text'; readonly model: ClipText; readonly params: ClipTextParams }
  | { readonly kind: 'dual-encoder'; readonly model: DualEncoder; readonly params: DualEncoderParams };

/** The model that a configuration describes. */
export function modelOf(config: ModelConfig): AnyModel['model'] {
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

/**
 * The model of a configuration with uploaded parameters, which the caller owns.
 * @throws {RangeError} listing tensors that do not fit its specs.
 */
export function anyModel(config: ModelConfig, tensors: NamedTensors): AnyModel {
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
