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
  isMasked,
} from '@winnow/core';

/** A site, with how much of it was kept of the model that it was cut from. */
export interface KeptSite {
  readonly site: string;
  readonly layer: number;
  /** The tower and the part of its layers: `vision attention`, `decoder cross`. With the layer, no two sites have the same. */
  readonly component: string;
  /** Units, or single columns where they were shared or pruned one by one. */
  readonly kept: number;
  /** Columns that are stored at another site. */
  readonly borrowed: number;
  /** Units, or columns, of the site in the dense model. */
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
  /** Size of the weights file, without its header. */
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
    kept: decision === undefined ? [] : keptSites(model, decision),
    masks: isMasked(config) ? matrixSparsities(modelOf(config.model), config.masks) : [],
    storedBytes: storedBytes(model),
  };
}

function keptSites({ sites, running }: Model, decision: Decision): KeptSite[] {
  const whole = sites.map(({ id, units, ...site }): KeptSite => ({
    ...placeOf({ id, ...site }),
    kept: units,
    borrowed: 0,
    units: decision.sites[id]?.units ?? units,
  }));
  // A model whose columns are shared has no sites that could be cut again; the one that runs has.
  const runningSites = new Map((running?.model.sites ?? []).map((site) => [site.id, site]));
  const shared = [...sharesOf(decision)].flatMap(([id, share]) => {
    const site = runningSites.get(id);
    return site === undefined ? [] : [{ ...placeOf(site), ...columnsOf(share) }];
  });
  return [...whole, ...shared];
}

/** A layer may have several attentions: what its place in the block is called tells them apart. */
const placeOf = ({ id, tower, layer }: Pick<Site, 'id' | 'tower' | 'layer'>) => ({
  site: id,
  layer,
  component: `${tower} ${id.replace(/^.*?\.\d+\./, '')}`,
});

function columnsOf({ columns }: Share): Pick<KeptSite, 'kept' | 'borrowed' | 'units'> {
  const letters = Object.values(columns).join('');
  const count = (wanted: string) => [...letters].filter((letter) => letter === wanted).length;
  return { kept: count('k'), borrowed: count('b'), units: letters.length };
}
