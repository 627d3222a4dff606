import { UserError } from '../error/user-error';
import type { Site } from '../sites/site';

/** The widths that a site may have, ascending: multiples, and all its units; where it has fewer than one multiple, any. */
export function widthsOf(units: number, multiple: number): number[] {
  const step = units < multiple ? 1 : multiple;
  const widths = Array.from({ length: Math.floor(units / step) }, (_, index) => (index + 1) * step);
  return widths.at(-1) === units ? widths : [...widths, units];
}

/** The units that go at once from a site: heads and blocks, which are no widths, go one by one, and so do those of less than one multiple. */
export const stepAt = ({ units, whole }: Site, multiple = 1): number =>
  whole !== undefined || units < multiple ? 1 : multiple;

/** @throws {UserError} when no site has so many units, or none whose number is a width. */
export function checkMultiple(sites: readonly Site[], multiple = 1): void {
  if (!Number.isInteger(multiple) || multiple < 1)
    throw new UserError(`expected widths that are multiples of a whole number from 1 on, got ${multiple}`);
  if (multiple === 1 || sites.some((site) => stepAt(site, multiple) > 1)) return;
  const widest = Math.max(0, ...sites.filter(({ whole }) => whole === undefined).map(({ units }) => units));
  throw new UserError(
    widest === 0
      ? `widths that are multiples of ${multiple} were asked for, and no width is decided about: whole heads and blocks go or stay`
      : `no layer has ${multiple} units, the widest has ${widest}: ask for multiples of at most that`,
  );
}
