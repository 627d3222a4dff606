import {
  type Decision,
  type DenseConfig,
  type MatrixSparsity,
  type Model,
  type Share,
  type Site,
  compressibleCost,
  denseConfigOf,
  matrixSparsities,
  modelOf,
  sharesOf,
  storedBytes,
} from '@winnow/core';

/** What a site kept of the model it was cut from. */
export interface KeptSite {
  readonly site: string;
  readonly layer: number;
  /** The tower and the structure: `vision attention`. */
  readonly component: string;
  /** Units, or single columns where they were shared or pruned one by one. */
  readonly kept: number;
  /** Columns that are stored at another site. */
  readonly borrowed: number;
  /** Of the dense model. */
  readonly units: number;
}

/** A model without its weights, for programs. */
export interface Inspection {
  /** Without masks: `masks` says what is left. */
  readonly config: DenseConfig;
  readonly parameters: number;
  readonly macs: number;
  readonly compressibleParameters: number;
  readonly lines: Model['account']['lines'];
  readonly sites: readonly Pick<Site, 'id' | 'tower' | 'layer' | 'structure' | 'units' | 'unitCost'>[];
  /** Empty for a model that was not compressed. */
  readonly kept: readonly KeptSite[];
  /** Empty for a model without masks. */
  readonly masks: readonly MatrixSparsity[];
  /** Of the weights file, without its header. */
  readonly storedBytes: number;
}

export function inspectionOf(model: Model, decision: Decision | undefined): Inspection {
  const { config, account, sites } = model;
  return {
    config: denseConfigOf(model),
    parameters: account.parameters,
    macs: account.macs,
    compressibleParameters: compressibleCost(sites).parameters,
    lines: account.lines,
    sites: sites.map(({ id, tower, layer, structure, units, unitCost }) => ({
      id,
      tower,
      layer,
      structure,
      units,
      unitCost,
    })),
    kept: decision === undefined ? [] : keptSites(sites, decision),
    masks: config.kind === 'masked' ? matrixSparsities(modelOf(config.model), config.masks) : [],
    storedBytes: storedBytes(model),
  };
}

function keptSites(sites: readonly Site[], decision: Decision): KeptSite[] {
  const whole = sites.map(({ id, tower, layer, structure, units }) => ({
    site: id,
    layer,
    component: `${tower} ${structure}`,
    kept: units,
    borrowed: 0,
    units: decision.sites[id]?.units ?? units,
  }));
  return [...whole, ...[...sharesOf(decision)].map(([id, share]) => sharedSite(id, share))];
}

/** A model whose columns are shared has no sites any more: the decision knows them by their paths. */
function sharedSite(id: string, { columns }: Share): KeptSite {
  const [, tower = 'vision', layer = '0', structure = ''] =
    /^(?:(\w+)\.)?blocks\.(\d+)\.(\w+)$/.exec(id) ?? [];
  const letters = Object.values(columns).join('');
  const count = (wanted: string) => [...letters].filter((letter) => letter === wanted).length;
  return {
    site: id,
    layer: Number(layer),
    component: `${tower} ${structure}`,
    kept: count('k'),
    borrowed: count('b'),
    units: letters.length,
  };
}
