import type { BlockShape, TowerConfig } from '../transformer/block';

/** What the units of a site are: dimensions of every head, or hidden units of the feed-forward network. */
export type Structure = 'attention' | 'ffn';

/**
 * One parameter that a site's units run through. Along `axis`, unit j owns the entries c·units + j for c < copies:
 * the heads lie side by side, and all of them keep the same dimensions.
 */
export interface Coupling {
  /** Path of the parameter in the model's record. */
  readonly parameter: string;
  readonly axis: 0 | 1;
  readonly copies: number;
  /** A producer makes the unit (columns of W_q, W_1 and their biases); a consumer reads it (rows of W_o, W_2). */
  readonly role: 'producer' | 'consumer';
}

export interface Cost {
  readonly parameters: number;
  readonly macs: number;
}

/** A place where a model can be made smaller, one unit at a time. */
export interface Site {
  /** Unique in the model: `blocks.3.ffn`. */
  readonly id: string;
  /** The modality: `vision`, `text`. */
  readonly tower: string;
  readonly layer: number;
  readonly structure: Structure;
  readonly units: number;
  /** What removing one unit saves. */
  readonly unitCost: Cost;
  readonly couplings: readonly Coupling[];
}

/** Where a tower's sites sit in the model. */
export interface TowerPlace {
  readonly tower: string;
  /** Path of the list of blocks in the model's record. */
  readonly path: string;
  /** T: tokens per sequence, for the cost in multiply–accumulates. */
  readonly tokens: number;
}

/** The attention and FFN sites of a tower (UPop, Section 3.1: one mask per layer and structure, shared by the heads). */
export function towerSites(config: TowerConfig, place: TowerPlace): Site[] {
  return config.blocks.flatMap((shape, layer) => [
    attentionSite(config, shape, place, layer),
    ffnSite(config, shape, place, layer),
  ]);
}

function attentionSite(
  { embedDim: D, heads: H }: TowerConfig,
  { headDim }: BlockShape,
  { tower, path, tokens: T }: TowerPlace,
  layer: number,
): Site {
  const id = `${path}.${layer}.attention`;
  const produced = ['query', 'key', 'value'].flatMap((name): Coupling[] => [
    { parameter: `${id}.${name}.weight`, axis: 1, copies: H, role: 'producer' },
    { parameter: `${id}.${name}.bias`, axis: 0, copies: H, role: 'producer' },
  ]);
  return {
    id,
    tower,
    layer,
    structure: 'attention',
    units: headDim,
    unitCost: { parameters: H * (4 * D + 3), macs: 4 * T * H * D + 2 * H * T * T },
    couplings: [...produced, { parameter: `${id}.output.weight`, axis: 0, copies: H, role: 'consumer' }],
  };
}

function ffnSite(
  { embedDim: D }: TowerConfig,
  { hiddenDim }: BlockShape,
  { tower, path, tokens: T }: TowerPlace,
  layer: number,
): Site {
  const id = `${path}.${layer}.ffn`;
  return {
    id,
    tower,
    layer,
    structure: 'ffn',
    units: hiddenDim,
    unitCost: { parameters: 2 * D + 1, macs: 2 * T * D },
    couplings: [
      { parameter: `${id}.expand.weight`, axis: 1, copies: 1, role: 'producer' },
      { parameter: `${id}.expand.bias`, axis: 0, copies: 1, role: 'producer' },
      { parameter: `${id}.contract.weight`, axis: 0, copies: 1, role: 'consumer' },
    ],
  };
}

/** All that the sites could give up: Σ units · unit cost. */
export function compressibleCost(sites: readonly Site[]): Cost {
  return sumCosts(sites.map(({ units, unitCost }) => scaleCost(unitCost, units)));
}

export function scaleCost({ parameters, macs }: Cost, factor: number): Cost {
  return { parameters: parameters * factor, macs: macs * factor };
}

export function sumCosts(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (total, cost) => ({ parameters: total.parameters + cost.parameters, macs: total.macs + cost.macs }),
    { parameters: 0, macs: 0 },
  );
}
