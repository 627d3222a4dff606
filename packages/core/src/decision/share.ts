import type { Site } from '../sites/site';

/** Columns of attention that are made, or hidden units: what can be borrowed and pruned one by one. */
export const columnParts = ['query', 'key', 'value', 'hidden'] as const;
export type ColumnPart = (typeof columnParts)[number];

/** Columns of a site, one by one: own, borrowed from the same place of another site, or pruned. */
export interface Share {
  readonly kind: 'share';
  /** Units of the dense site; of attention each head has as many columns in each part. */
  readonly units: number;
  /** The site whose columns are borrowed, as they stand there. */
  readonly lender?: string;
  /** One letter for each column of a part: `k` kept as its own, `b` borrowed, `p` pruned. */
  readonly columns: Readonly<Partial<Record<ColumnPart, string>>>;
}

type Shares = ReadonlyMap<string, Share>;

/** A decision by what it says of the sites, beside the sites themselves. */
export interface DecidedSites {
  readonly sites: ReadonlyMap<string, Site>;
  readonly shares: Shares;
  /** Of these, whole units are cut. */
  readonly cut: ReadonlySet<string>;
}

/** The parts of a site's columns. */
export const partsOf = ({ structure }: Pick<Site, 'structure'>): readonly ColumnPart[] =>
  structure === 'ffn' ? ['hidden'] : ['query', 'key', 'value'];

/** Columns in each part of a site: those of all heads side by side, or the hidden units. */
export const columnsOf = ({ units, couplings }: Pick<Site, 'units' | 'couplings'>): number =>
  units * (couplings[0]?.copies ?? 1);

/** Which part a site's parameter has the columns of; undefined where sharing leaves it whole. */
export function partOf({ id, structure }: Pick<Site, 'id' | 'structure'>, parameter: string) {
  if (structure === 'ffn') return 'hidden';
  return partsOf({ structure }).find((part) => parameter.startsWith(`${id}.${part}.`));
}

/**
 * Checks what is shared against the sites it is for.
 * @throws {RangeError} naming the site: parts or letters that are missing or unknown, a lender that is not there or not
 * alike, a borrowed column that its lender pruned, queries pruned without their keys, values pruned, nothing left.
 */
export function checkShare(site: Site, share: Share, decided: DecidedSites): void {
  const { id } = site;
  const { shares } = decided;
  const length = columnsOf(site);
  const letters = partsOf(site).map((part) => {
    const columns = share.columns[part];
    if (columns?.length !== length || !/^[kbp]*$/.test(columns)) {
      throw new RangeError(
        `expected ${length} letters k, b or p for the columns of ${part} at ${id}, got ${columns?.length ?? 'none'}`,
      );
    }
    return { part, columns };
  });
  const extra = Object.keys(share.columns).filter((part) => !letters.some((known) => known.part === part));
  if (extra.length > 0) throw new RangeError(`${id} has no columns of ${extra.join(', ')}`);
  checkLender(id, site, share, decided);
  for (const { part, columns } of letters) {
    const borrowed = [...columns].findIndex(
      (letter, column) => letter === 'b' && letterAt(shares.get(share.lender ?? ''), part, column) === 'p',
    );
    if (borrowed >= 0)
      throw new RangeError(
        `${id} borrows column ${borrowed} of ${part} from ${share.lender}, which pruned it`,
      );
  }
  checkPruned(id, share);
}

function checkLender(
  id: string,
  site: Site,
  { lender, columns }: Share,
  { shares, sites, cut }: DecidedSites,
): void {
  if (lender === undefined) {
    if (Object.values(columns).some((letters) => letters.includes('b')))
      throw new RangeError(`${id} borrows columns, but names no lender`);
    return;
  }
  const other = sites.get(lender);
  if (other?.structure !== site.structure || columnsOf(other) !== columnsOf(site)) {
    throw new RangeError(`${id} borrows from ${lender}, which is not there or has other columns`);
  }
  if (cut.has(lender)) throw new RangeError(`${id} borrows from ${lender}, of which whole units are cut`);
  const seen = new Set([id]);
  for (let next: string | undefined = lender; next !== undefined; next = shares.get(next)?.lender) {
    if (seen.has(next)) throw new RangeError(`${id} borrows from itself, by way of ${lender}`);
    seen.add(next);
  }
}

function checkPruned(
  id: string,
  { columns: { query = '', key = '', value = '', hidden = '' } }: Share,
): void {
  if ([...query].some((letter, column) => (letter === 'p') !== (key[column] === 'p')))
    throw new RangeError(`columns of query and key at ${id} must be pruned together`);
  if (value.includes('p')) throw new RangeError(`columns of value at ${id} cannot be pruned, only shared`);
  if (!/[kb]/.test(query + hidden)) {
    throw new RangeError(`the decision keeps nothing at ${id}: keep at least one column`);
  }
}

/** A site without a share keeps every column as its own. */
const letterAt = (share: Share | undefined, part: ColumnPart, column: number): string =>
  share?.columns[part]?.[column] ?? 'k';

/** Where a column that is not pruned is stored: the site that keeps it as its own. */
export function ownerOf(shares: Shares, id: string, part: ColumnPart, column: number): string {
  const share = shares.get(id);
  return letterAt(share, part, column) === 'b' && share?.lender !== undefined
    ? ownerOf(shares, share.lender, part, column)
    : id;
}

/** The columns of a part that stay, own or borrowed, ascending. */
export const presentColumns = (letters: string): number[] => indicesOf(letters, (letter) => letter !== 'p');

/** The columns of a part that are stored here, ascending. */
export const ownColumns = (letters: string): number[] => indicesOf(letters, (letter) => letter === 'k');

const indicesOf = (letters: string, is: (letter: string) => boolean): number[] =>
  [...letters].flatMap((letter, index) => (is(letter) ? [index] : []));
