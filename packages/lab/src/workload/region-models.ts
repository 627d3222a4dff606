import {
  type DenseConfig,
  type LxmertConfig,
  type LxmertPreset,
  type Model,
  type RegionHead,
  type UniterConfig,
  UserError,
  type VisionTransformerPreset,
  headOfLxmert,
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
  readonly head: RegionHead;
}

/** A new model that reads regions. */
export function newRegionModel(
  family: RegionFamily,
  size: VisionTransformerPreset,
  { head, ...rest }: RegionModelOptions,
): Model {
  switch (family) {
    case 'uniter':
      return uniter(uniterConfig(size, { ...rest, head }));
    case 'lxmert':
      return lxmert(lxmertConfig(lxmertSizes[size], { ...rest, ...headOptions(head) }));
    default:
      return family satisfies never;
  }
}

/** The same model with another head. @throws {UserError} for an LXMERT and a head for retrieval. */
export function withHead(config: RegionModelConfig, head: RegionHead): Model {
  if (config.kind === 'uniter') return uniter({ ...config, head });
  const { answers: _, head: __, ...rest } = config;
  return lxmert({ ...rest, ...headOptions(head) });
}

/** A head as an LXMERT's configuration has it. */
function headOptions(head: RegionHead): Pick<LxmertConfig, 'answers' | 'head'> {
  if (head.kind === 'retrieval') throw new UserError('an lxmert has no head for retrieval: take a uniter');
  return head.kind === 'answers' ? { answers: head.answers } : { head };
}

/** The head of a model. */
export const headOf = (config: RegionModelConfig): RegionHead =>
  config.kind === 'uniter' ? config.head : headOfLxmert(config);

/** @throws {UserError} for a model that reads no regions. */
export function regionConfigIn(config: DenseConfig): RegionModelConfig {
  if (uniterFamily.is(config)) return config;
  if (lxmertFamily.is(config)) return config;
  throw new UserError(`texts about regions need a uniter or an lxmert, got a ${config.kind}`);
}

/** Numbers of each region that a model reads: what it shows, and where it is. */
export const regionShapeOf = (config: RegionModelConfig): { features: number; places: number } => {
  const { features, places } = config.kind === 'uniter' ? config.regions : config.vision;
  return { features, places };
};
