import { FormatError } from '../../file/format-error';

/** Names of tensors in models of timm that are other functions than ours, and the features they belong to. */
const features: readonly (readonly [name: RegExp, feature: string])[] = [
  [/^attn_pool\.(q_norm|k_norm|pos_embed|pre_norm|post_norm)\b/, 'another attention pooling'],
  [/^pre_logits\./, 'a layer before the classifier'],
  [/^blocks\.\d+\.attn\.(q_norm|k_norm|norm)\./, 'norms within attention'],
  [/^blocks\.\d+\.mlp\.(fc1_g|fc1_x|w12|w3|norm)\b/, 'a gated or normalised feed-forward network'],
  [/rel_pos|relative_position/, 'relative positions'],
  [/^patch_embed\.(backbone|conv|norm)\b/, 'other patches than those of one projection'],
  [/^pos_embed_/, 'other positions'],
];

/**
 * Names the feature of a model that is refused, instead of listing its tensors.
 * @throws {FormatError} when tensors belong to a feature that is not supported.
 */
export function refuseUnsupported(file: string, names: Iterable<string>): void {
  for (const name of names) {
    const feature = features.find(([pattern]) => pattern.test(name))?.[1];
    if (feature !== undefined) {
      throw new FormatError(`${file}: models with ${feature} (${name}) are not supported`);
    }
  }
}
