import {
  type Decision,
  type DenseConfig,
  type MatrixSparsity,
  type Model,
  type Share,
  type Site,
  compressibleCost,
  copiesOf,
  denseConfigOf,
  headsKind,
  matrixSparsities,
  modelOf,
  placeInList,
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
  /** Units, whole heads where such went, or single columns where they were shared or pruned one by one; 0 of a block that went. */
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
  const whole = sites.map((site): KeptSite => {
    const { id, units } = site;
    const decided = decision.sites[id];
    const [kept, of] =
      decided !== undefined && headsKind.is(decided)
        ? [copiesOf(site), decided.heads]
        : [units, decided?.units ?? units];
    return { ...placeOf(inDense(site, decision)), kept, borrowed: 0, units: of };
  });
  // A model whose columns are shared has no sites that could be cut again; the one that runs has.
  const runningSites = new Map((running?.model.sites ?? []).map((site) => [site.id, site]));
  const shared = [...sharesOf(decision)].flatMap(([id, share]) => {
    const site = runningSites.get(id);
    return site === undefined ? [] : [{ ...placeOf(site), ...columnsOf(share) }];
  });
  return [...whole, ...goneSites(sites, decision), ...shared];
}

/** A site by its place in the model that it was cut from, in which more blocks may have been below it. */
function inDense(site: Site, { blocks }: Decision): Site {
  if (site.block === undefined || blocks === undefined) return site;
  const { list, index } = placeInList(site.block);
  const layer = blocks[list]?.kept[index] ?? site.layer;
  return { ...site, layer, id: `${list}.${layer}${site.id.slice(site.block.length)}` };
}

/** Sites of blocks that went as wholes: those of the first one that stays, at their places. */
function goneSites(sites: readonly Site[], { blocks = {} }: Decision): KeptSite[] {
  return Object.entries(blocks).flatMap(([list, { kept, units }]) => {
    const alike = sites.filter(({ block }) => block === `${list}.0`);
    return Array.from({ length: units }, (_, layer) => layer)
      .filter((layer) => !kept.includes(layer))
      .flatMap((layer) =>
        alike.map((site): KeptSite => ({
          ...placeOf({ ...site, layer, id: `${list}.${layer}${site.id.slice(`${list}.0`.length)}` }),
          kept: 0,
          borrowed: 0,
          units: site.units,
        })),
      );
  });
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
