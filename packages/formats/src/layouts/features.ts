import type { VisionTransformerConfig } from '@winnow/core';

/** Features that some vision transformers have and others have not, with the words for them. */
const features = {
  layerScale: 'layer scale',
  registers: 'register tokens',
  noClassToken: 'no class token',
  unplaced: 'tokens without a position',
  mean: 'a head that reads the mean of the patches',
  normAfterMean: 'a norm after the mean of the patches',
  noInputBias: 'no bias of queries, keys and values',
  embeddingNorm: 'a norm before the first block',
  noPatchBias: 'no bias of the patches',
  causal: 'a causal mask',
  attentionPool: 'attention pooling',
  merging: 'merging of tokens',
} as const;

export type Feature = keyof typeof features;

/** Everything that a vision transformer may have beside a vision tower. */
type VisionConfig = Omit<VisionTransformerConfig, 'kind' | 'classes' | 'ties'>;

/** The features of a vision tower or transformer beyond a plain ViT. */
export function featuresOf(config: VisionConfig): Feature[] {
  const { tower, headInput } = config;
  const has: Readonly<Record<Feature, boolean>> = {
    layerScale: tower.layerScale !== undefined,
    registers: config.registers !== undefined,
    noClassToken: config.classToken === false,
    unplaced: config.positioned !== undefined,
    mean: headInput !== undefined,
    normAfterMean: config.normAfterMean === true,
    noInputBias: tower.inputBias === false,
    embeddingNorm: config.embeddingNorm,
    noPatchBias: !config.patchBias,
    causal: tower.causal,
    attentionPool: config.attentionPool !== undefined,
    merging: config.merging !== undefined,
  };
  return featureNames.filter((name) => has[name]);
}

const featureNames: readonly Feature[] = [
  ...(['layerScale', 'registers', 'noClassToken', 'unplaced', 'mean', 'normAfterMean'] as const),
  ...(['noInputBias', 'embeddingNorm', 'noPatchBias', 'causal', 'attentionPool', 'merging'] as const),
];

/** The words for features that a layout has no room for, `a, b`; undefined where it has room for all of them. */
export function beyond(config: VisionConfig, room: readonly Feature[]): string | undefined {
  const left = featuresOf(config).filter((name) => !room.includes(name));
  return left.length === 0 ? undefined : left.map((name) => features[name]).join(', ');
}
