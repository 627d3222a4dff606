import type { Coupling, Site } from './site';

const mapOf = ({ parameter }: Coupling): string => parameter.replace(/\.weight$/, '');

/**
 * The tap that sees the units of a site as they are read, copies · units wide: hidden units after their non-linearity, or
 * what the heads made, side by side.
 * @throws {RangeError} when nothing reads them.
 */
export function unitsTap(site: Pick<Site, 'id' | 'couplings'>): string {
  return mapOf(consumerOf(site));
}

/** The coupling of the matrix that reads a site's units. @throws {RangeError} when none does. */
export function consumerOf({ id, couplings }: Pick<Site, 'id' | 'couplings'>): Coupling {
  const found = couplings.find(({ role, axis }) => role === 'consumer' && axis === 0);
  if (found !== undefined) return found;
  throw new RangeError(`nothing reads the units of ${id}`);
}
