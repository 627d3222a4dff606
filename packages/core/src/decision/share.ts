import { z } from 'zod';
import { type Site, copiesOf } from '../sites/site';
import { type Cut, type DecidedSites, defineDecisionKind } from './kind';

/** Columns of a site, one by one: own, borrowed from the same place of another site, or pruned. */
export interface Share {
  readonly kind: 'share';
  /** Units of the dense site; of attention each head has as many columns under each name. */
  readonly units: number;
  /** The site whose columns are borrowed, as they stand there. */
  readonly lender?: string;
  /** By the name of its columns one letter for each: `k` kept as its own, `b` borrowed, `p` pruned. */
  readonly columns: Readonly<Record<string, string>>;
}

type Shares = ReadonlyMap<string, Share>;

/** The names of a site's columns: `query`, `key` and `value`, or `hidden`. */
export const columnNames = ({ columns }: Pick<Site, 'columns'>): string[] =>
  columns.flatMap(({ names }) => names);

/** Columns under each name: those of all heads side by side, or the hidden units. */
export const columnsOf = ({ units, couplings }: Pick<Site, 'units' | 'couplings'>): number =>
  units * copiesOf({ couplings });

const columnLetters = z.string().regex(/^[kbp]+$/, 'expected letters k, b and p');

export const shareSchema = z.strictObject({
  kind: z.literal('share'),
  units: z.int().positive(),
  lender: z.string().exactOptional(),
  columns: z.record(z.string(), columnLetters),
});

/** Columns of a site are kept, borrowed or pruned one by one. */
export const shareKind = defineDecisionKind<Share>({
  kind: 'share',
  schema: shareSchema,
  check: (site, share, all) => checkShare(site, share, all),
  kept: () => undefined,
  cuts: ({ couplings }, share) =>
    couplings.flatMap(({ parameter, axis, columns = '' }): [string, Cut][] => {
      const letters = share.columns[columns];
      return letters === undefined ? [] : [[parameter, { axis, indices: ownColumns(letters) }]];
    }),
  widths: (site, share) =>
    site.columns.flatMap(({ names, width }): [string, number][] => {
      const letters = share.columns[names[0] ?? ''];
      if (width === undefined || letters === undefined) return [];
      const columns = fullestHead(letters, copiesOf(site));
      return columns === site.units ? [] : [[width, columns]];
    }),
});

/**
 * Checks what is shared against the sites it is for.
 * @throws {RangeError} naming the site: parts or letters that are missing or unknown, a lender that is not there or not
 * alike, a borrowed column that its lender pruned, queries pruned without their keys, values pruned, nothing left.
 */
function checkShare(site: Site, share: Share, { sites, decided }: DecidedSites): void {
  const { id } = site;
  const shares: Shares = new Map(
    Object.entries(decided).flatMap(([id, own]): [string, Share][] => (shareKind.is(own) ? [[id, own]] : [])),
  );
  const length = columnsOf(site);
  const letters = columnNames(site).map((name) => {
    const columns = share.columns[name];
    if (columns?.length !== length || !/^[kbp]*$/.test(columns)) {
      throw new RangeError(
        `expected ${length} letters k, b or p for the columns of ${name} at ${id}, got ${columns?.length ?? 'none'}`,
      );
    }
    return { name, columns };
  });
  if (letters.length === 0) throw new RangeError(`${id} has no columns that can be shared one by one`);
  const extra = Object.keys(share.columns).filter((name) => !letters.some((known) => known.name === name));
  if (extra.length > 0) throw new RangeError(`${id} has no columns of ${extra.join(', ')}`);
  checkLender(id, site, share, { sites, shares, decided });
  for (const { name, columns } of letters) {
    const borrowed = [...columns].findIndex(
      (letter, column) => letter === 'b' && letterAt(shares.get(share.lender ?? ''), name, column) === 'p',
    );
    if (borrowed >= 0)
      throw new RangeError(
        `${id} borrows column ${borrowed} of ${name} from ${share.lender}, which pruned it`,
      );
  }
  checkPruned(site, share);
}

function checkLender(
  id: string,
  site: Site,
  { lender, columns }: Share,
  { shares, sites, decided }: DecidedSites & { readonly shares: Shares },
): void {
  if (lender === undefined) {
    if (Object.values(columns).some((letters) => letters.includes('b')))
      throw new RangeError(`${id} borrows columns, but names no lender`);
    return;
  }
  const other = sites.get(lender);
  const isAlike =
    other?.structure === site.structure &&
    columnsOf(other) === columnsOf(site) &&
    other.unitCost.parameters === site.unitCost.parameters; // As wide on the other side, too.
  if (!isAlike) {
    throw new RangeError(`${id} borrows from ${lender}, which is not there or has other columns`);
  }
  if (decided[lender] !== undefined && !shares.has(lender))
    throw new RangeError(`${id} borrows from ${lender}, of which whole units are cut`);
  const seen = new Set([id]);
  for (let next: string | undefined = lender; next !== undefined; next = shares.get(next)?.lender) {
    if (seen.has(next)) throw new RangeError(`${id} borrows from itself, by way of ${lender}`);
    seen.add(next);
  }
}

function checkPruned({ id, columns: groups }: Site, { columns }: Share): void {
  for (const { names, prunable } of groups) {
    const [first = '', ...others] = names.map((name) => columns[name] ?? '');
    if (!prunable) {
      if ([first, ...others].some((letters) => letters.includes('p')))
        throw new RangeError(`columns of ${names.join(' and ')} at ${id} cannot be pruned, only shared`);
      continue;
    }
    const isPruned = (letters: string, column: number) => letters[column] === 'p';
    if (others.some((own) => [...own].some((_, column) => isPruned(own, column) !== isPruned(first, column))))
      throw new RangeError(`columns of ${names.join(' and ')} at ${id} must be pruned together`);
    if (!/[kb]/.test(first)) {
      throw new RangeError(`the decision keeps nothing at ${id}: keep at least one column`);
    }
  }
}

/** A site without a share keeps every column as its own. */
const letterAt = (share: Share | undefined, name: string, column: number): string =>
  share?.columns[name]?.[column] ?? 'k';

/** Where a column that is not pruned is stored: the site that keeps it as its own. */
export function ownerOf(shares: Shares, id: string, name: string, column: number): string {
  const share = shares.get(id);
  return letterAt(share, name, column) === 'b' && share?.lender !== undefined
    ? ownerOf(shares, share.lender, name, column)
    : id;
}

/** The columns of a name that stay, own or borrowed, ascending. */
export const presentColumns = (letters: string): number[] => indicesOf(letters, (letter) => letter !== 'p');

/** The columns of a name that are stored here, ascending. */
export const ownColumns = (letters: string): number[] => indicesOf(letters, (letter) => letter === 'k');

const indicesOf = (letters: string, is: (letter: string) => boolean): number[] =>
  [...letters].flatMap((letter, index) => (is(letter) ? [index] : []));

/** The columns of each head that stay, ascending. */
export function headColumns(letters: string, heads: number): number[][] {
  const headDim = letters.length / heads;
  const present = presentColumns(letters);
  return Array.from({ length: heads }, (_, head) =>
    present.filter((column) => Math.floor(column / headDim) === head),
  );
}

/** Columns that stay in the fullest head: the others are filled up with zeros when they run. */
export const fullestHead = (letters: string, heads: number): number =>
  Math.max(...headColumns(letters, heads).map(({ length }) => length));
