import {
  type DenseConfig,
  type LxmertConfig,
  type LxmertPreset,
  type Model,
  type UniterConfig,
  UserError,
  type VisionTransformerPreset,
  lxmert,
  lxmertConfig,
  lxmertFamily,
  uniter,
  uniterConfig,
  uniterFamily,
} from '@winnow/core';

/** Families whose models read regions: words and regions in one trunk, or in a stream each. */
export const regionFamilies = ['uniter', 'lxmert'] as const;
export type RegionFamily = (typeof regionFamilies)[number];

export type RegionModelConfig = UniterConfig | LxmertConfig;

/** Sizes by the name of a DeiT: an LXMERT has the same widths and layers of its own. */
const lxmertSizes = {
  nano: 'mini',
  tiny: 'tiny',
  small: 'small',
  base: 'published',
} as const satisfies Record<VisionTransformerPreset, LxmertPreset>;

interface RegionModelOptions {
  readonly vocabulary: number;
  readonly context: number;
  readonly endToken: number;
  readonly features: number;
  readonly regions: number;
  readonly answers: number;
}

/** A new model that reads regions. */
export function newRegionModel(
  family: RegionFamily,
  size: VisionTransformerPreset,
  options: RegionModelOptions,
): Model {
  switch (family) {
    case 'uniter':
      return uniter(uniterConfig(size, options));
    case 'lxmert':
      return lxmert(lxmertConfig(lxmertSizes[size], options));
    default:
      return family satisfies never;
  }
}

/** The same model with so many answers. */
export function answering(config: RegionModelConfig, answers: number): Model {
  return config.kind === 'uniter'
    ? uniter({ ...config, head: { kind: 'answers', answers } })
    : lxmert({ ...config, answers });
}

/** A: the answers that a model tells apart; none of one for pre-training. */
export function answersOf(config: RegionModelConfig): number {
  if (config.kind === 'lxmert') return config.answers;
  return config.head.kind === 'answers' ? config.head.answers : 0;
}

/** @throws {UserError} for a model that reads no regions. */
export function regionConfigIn(config: DenseConfig): RegionModelConfig {
  if (uniterFamily.is(config)) return config;
  if (lxmertFamily.is(config)) return config;
  throw new UserError(`questions about regions need a uniter or an lxmert, got a ${config.kind}`);
}

/** Numbers of each region that a model reads: what it shows, and where it is. */
export const regionShapeOf = (config: RegionModelConfig): { features: number; places: number } => {
  const { features, places } = config.kind === 'uniter' ? config.regions : config.vision;
  return { features, places };
};
