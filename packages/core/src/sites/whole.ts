import type { Account } from '../account/account';
import { UserError } from '../error/user-error';
import { joinPath, pathWithin } from '../tree/path';
import { type Cost, type Coupling, type Site, copiesOf, sumCosts } from './site';
import { consumerOf } from './taps';

/** The things that units of sites may be: dimensions of all heads and hidden units, whole heads and hidden units, whole blocks. */
export const unitGrains = ['dimensions', 'heads', 'blocks'] as const;
export type UnitGrain = (typeof unitGrains)[number];

/** The parts of a model that say which units it has. */
export interface Divisible {
  readonly sites: readonly Site[];
  readonly account: Account;
  readonly mergesTokens?: true;
}

/**
 * The sites of a model by what their units are to be. Sites of whole heads have the paths of the attentions that they are
 * in the place of, and blocks their own; all keep their kind of units beside them.
 * @throws {UserError} when the model has no heads or blocks that could go.
 */
export function sitesOf(model: Divisible, grain: UnitGrain): readonly Site[] {
  switch (grain) {
    case 'dimensions':
      return model.sites;
    case 'heads': {
      if (!model.sites.some(({ heads }) => heads !== undefined))
        throw new UserError(
          'this model has no attention of which whole heads could go: ask for dimensions of heads',
        );
      return model.sites.map((site) => headSite(site) ?? site);
    }
    case 'blocks':
      return blockSites(model);
    default:
      return grain satisfies never;
  }
}

/** An attention's heads as units, instead of their dimensions; undefined where they cannot go. */
export function headSite(site: Site): Site | undefined {
  const { units, heads, couplings, unitCost } = site;
  if (heads === undefined || site.whole !== undefined) return undefined;
  const copies = copiesOf(site);
  // A unit of the site is a dimension of every head: its cost is a multiple of the heads.
  const ofHead = (cost: number): number => (cost / copies) * units;
  return {
    ...site,
    structure: 'heads',
    whole: { kind: 'heads', dimensions: units },
    units: copies,
    width: heads,
    unitCost: { parameters: ofHead(unitCost.parameters), macs: ofHead(unitCost.macs) },
    couplings: couplings.map((coupling) => ({ ...coupling, copies: 1 })),
    columns: [],
  };
}

/**
 * Whole blocks as sites of one unit each. They are made by what they add to the tokens that go through them: without it a
 * block is the identity.
 * @throws {UserError} when the model has none that could go.
 */
function blockSites({ sites, account, mergesTokens }: Divisible): readonly Site[] {
  if (mergesTokens !== undefined)
    throw new UserError(
      'the model merges tokens block by block, so that without a block others would be merged: take whole blocks of it without (--merge-tokens 0), and merge its tokens afterwards',
    );
  const found = new Map<string, Site[]>();
  for (const site of sites) {
    if (site.block === undefined || site.stack === undefined) continue;
    found.set(site.block, [...(found.get(site.block) ?? []), site]);
  }
  if (found.size === 0)
    throw new UserError('this model has no blocks that could go as wholes: each needs those below it');
  return [...found].map(([block, own]) => blockSite(block, own, costWithin(account.lines, block)));
}

const costWithin = (lines: Divisible['account']['lines'], block: string): Cost =>
  sumCosts(lines.filter(({ part }) => pathWithin(block, part) !== undefined));

function blockSite(block: string, own: readonly Site[], unitCost: Cost): Site {
  const [first] = own;
  if (first?.stack === undefined) throw new RangeError(`${block} has no sites, or is no block of a stack`);
  const { tower, towerPath, layer, stack } = first;
  return {
    id: block,
    tower,
    towerPath,
    layer,
    block,
    name: 'block',
    structure: 'block',
    whole: { kind: 'block' },
    units: 1,
    width: joinPath(stack, String(layer)),
    stack,
    unitCost,
    couplings: own.flatMap((site): Coupling[] => {
      const { parameter, part } = consumerOf(site);
      const bias = parameter.replace(/weight$/, 'bias');
      return [
        { parameter, part, axis: 1, copies: 1, role: 'producer' },
        { parameter: bias, part, axis: 0, copies: 1, role: 'producer' },
      ];
    }),
    columns: [],
  };
}

/** The list of a block in the model's record, `vision.blocks`, and its place there. */
export function placeInList(block: string): { readonly list: string; readonly index: number } {
  const dot = block.lastIndexOf('.');
  return { list: block.slice(0, Math.max(0, dot)), index: Number(block.slice(dot + 1)) };
}

/** Something of which one has to stay: a site's units, or the blocks of a list. */
export const floorOf = ({ id, stack, whole }: Site): string =>
  whole?.kind === 'block' && stack !== undefined ? stack : id;
