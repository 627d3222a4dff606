import { z } from 'zod';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';

/** Names of tensors in models of timm that are other functions than ours, and the features they belong to. */
const features: readonly (readonly [name: RegExp, feature: string])[] = [
  [/^layers\.\d+\.blocks\.\d+\.attn\./, 'attention within windows'],
  [/rel_pos|relative_position/, 'relative positions'],
  [
    /^patch_embed\.(backbone|conv)\b|^stem\.|^stages\.\d+\.downsample/,
    'convolutions before or between the blocks',
  ],
  [/^(embeds|pos_embed_window)\b/, 'other positions'],
  [/^attn_pool\.(q_norm|k_norm|pos_embed|pre_norm|post_norm)\b/, 'another attention pooling'],
  [/^pre_logits\./, 'a layer before the classifier'],
  [/^blocks\.\d+\.attn\.(q_norm|k_norm|norm)\./, 'norms within attention'],
  [/^blocks\.\d+\.mlp\.(fc1_g|fc1_x|w12|w3)\b/, 'gated feed-forward networks (SwiGLU)'],
  [/^blocks\.\d+\.mlp\.norm\b/, 'norms within feed-forward networks'],
  [/^blocks\.\d+\.(attns|ffns|in_norm|in_proj|mlp_in|mlp_out)\b/, 'parallel blocks'],
  [/^patch_embed\.norm\b/, 'a norm of the patches'],
  [/^pos_embed_|^rope\b/, 'other positions'],
];

/** Names of architectures of timm, where their tensors do not tell what they are. */
const architectures: readonly (readonly [name: RegExp, feature: string])[] = [
  [/^swin|^hiera|^sam2_hiera/, 'attention within windows'],
  [/_rope_|^eva02|dinov3|^vit_pe_/, 'rotary positions'],
  [/_rpn_/, 'norms behind their layers'],
  [/^naflexvit/, 'pictures of any shape (NaFlex)'],
  [
    /^(convnext|resnet|resnext|regnet|efficientnet|mobilenet|poolformer|coatnet|maxvit|levit)/,
    'convolutions',
  ],
];

const named = z.looseObject({ architecture: z.string() });

/** The architecture that a configuration of timm names, and its feature that is not supported, if it has one. */
export function unsupportedArchitecture({
  config,
}: Pick<Checkpoint, 'config'>): { readonly name: string; readonly feature: string } | undefined {
  const { data } = named.safeParse(config?.json);
  if (data === undefined) return undefined;
  const feature = architectures.find(([pattern]) => pattern.test(data.architecture))?.[1];
  return feature === undefined ? undefined : { name: data.architecture, feature };
}

/**
 * Names the feature of a model that is refused, instead of listing its tensors.
 * @throws {FormatError} when tensors, or the name of the architecture, belong to a feature that is not supported.
 */
export function refuseUnsupported(checkpoint: Pick<Checkpoint, 'file' | 'tensors' | 'config'>): void {
  const { file, tensors } = checkpoint;
  const refused = (feature: string, where: string) =>
    new FormatError(`${file}: models with ${feature} (${where}) are not supported`);
  const architecture = unsupportedArchitecture(checkpoint);
  if (architecture !== undefined) throw refused(architecture.feature, architecture.name);
  for (const [pattern, feature] of features) {
    const name = [...tensors.keys()].find((own) => pattern.test(own));
    if (name !== undefined) throw refused(feature, name);
  }
  if (!tensors.has('pos_embed')) throw refused('no learned positions', 'there is no pos_embed');
  const [hidden] = tensors.get('blocks.0.mlp.fc1.weight')?.shape ?? [];
  const [, read] = tensors.get('blocks.0.mlp.fc2.weight')?.shape ?? [];
  if (hidden !== undefined && read !== undefined && hidden === 2 * read)
    throw refused('gated feed-forward networks (SwiGLU)', 'blocks.0.mlp.fc1.weight');
}
