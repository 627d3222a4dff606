/**
 * One parameter that a site's units run through. Along `axis`, unit j owns the entries (c·units + j)·run + i for c < copies and
 * i < run, where run is the extent over copies · units: 1 where the heads lie side by side, and all of them keep the same
 * dimensions; a head's dimensions where units are whole heads.
 */
export interface Coupling {
  /** Path of the parameter in the model's record. */
  readonly parameter: string;
  /** The part of the layer that it belongs to: `query`, `key`, `value`, `output`, `expand`, `contract`. */
  readonly part: string;
  readonly axis: 0 | 1;
  readonly copies: number;
  /** A producer makes the unit (columns of W_q, W_1 and their biases); a consumer reads it (rows of W_o, W_2). */
  readonly role: 'producer' | 'consumer';
  /** The columns of the site that it has, by their name; undefined where sharing leaves it whole. */
  readonly columns?: string;
}

export interface Cost {
  readonly parameters: number;
  readonly macs: number;
}

/** Columns of a site that can be shared one by one, copies · units under each name, and pruned in the same places. */
export interface ColumnGroup {
  /** `query` and `key`, which are compared; `value`; `hidden`. */
  readonly names: readonly string[];
  /** Whether columns can be pruned one by one; if not, only whole units can. */
  readonly prunable: boolean;
  /** Path in the configuration of how many columns there are in each copy, where some can be pruned. */
  readonly width?: string;
}

/** Units that are more than a dimension: a head with its dimensions in the model, or a block with all that it holds. */
export type WholeUnits = { readonly kind: 'heads'; readonly dimensions: number } | { readonly kind: 'block' };

/** A place where a model can be made smaller, one unit at a time. */
export interface Site {
  /** Unique in the model: `blocks.3.ffn`. */
  readonly id: string;
  /** The modality: `vision`, `text`. */
  readonly tower: string;
  /** Path of that tower in the model's record; empty where it is the model itself. */
  readonly towerPath: string;
  readonly layer: number;
  /** Path of its block in the model's record, `vision.blocks.3`; undefined outside of blocks. */
  readonly block: string | undefined;
  /** Its name in its layer: `attention`, `ffn`. */
  readonly name: string;
  /** The kind of its units, dimensions of every head (`attention`), hidden units (`ffn`), whole `heads`, a whole `block`: those of one kind are alike. */
  readonly structure: string;
  readonly units: number;
  /** Path in the model's configuration of the number of units: `tower.blocks.3.hiddenDim`. */
  readonly width: string;
  /** Path in the configuration of its number of heads, where whole heads can go. */
  readonly heads?: string;
  /** Path in the configuration of the list of its block and its like, where whole blocks can go. */
  readonly stack?: string;
  /** Set where its units are whole heads, or it is a whole block; else they are dimensions. */
  readonly whole?: WholeUnits;
  /** The cost that removing one unit saves. */
  readonly unitCost: Cost;
  readonly couplings: readonly Coupling[];
  readonly columns: readonly ColumnGroup[];
}

/** The number of a unit's columns that lie side by side under each name: the heads of an attention, or 1. */
export const copiesOf = ({ couplings }: Pick<Site, 'couplings'>): number => couplings[0]?.copies ?? 1;

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
