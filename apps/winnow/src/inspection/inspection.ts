import { type Decision, type Model, type ModelConfig, type Site, compressibleCost } from '@winnow/core';

/** What a site kept of the model it was cut from. */
export interface KeptSite {
  readonly site: string;
  readonly layer: number;
  /** The tower and the structure: `vision attention`. */
  readonly component: string;
  readonly kept: number;
  readonly units: number;
}

/** A model without its weights, for programs. */
export interface Inspection {
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly macs: number;
  readonly compressibleParameters: number;
  readonly lines: Model['account']['lines'];
  readonly sites: readonly Pick<Site, 'id' | 'tower' | 'layer' | 'structure' | 'units' | 'unitCost'>[];
  /** Empty for a model that was not compressed. */
  readonly kept: readonly KeptSite[];
}

export function inspectionOf({ config, account, sites }: Model, decision: Decision | undefined): Inspection {
  return {
    config,
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
  };
}

function keptSites(sites: readonly Site[], decision: Decision): KeptSite[] {
  return sites.map(({ id, tower, layer, structure, units }) => ({
    site: id,
    layer,
    component: `${tower} ${structure}`,
    kept: units,
    units: decision.sites[id]?.units ?? units,
  }));
}
