import type { Model, PrunableMatrix } from '@winnow/core';

/**
 * Names a matrix in a ticket, whichever model its tower stands in: `vision.blocks.3.ffn.expand.weight`,
 * `text.projection`. A classifier's vision tower and that of a dual encoder have the same names.
 */
export function ticketName({ tower, layer, parameter }: PrunableMatrix): string {
  return layer === undefined ? `${tower}.projection` : inTower(tower, parameter);
}

/**
 * Names a parameter of a tower, whichever model the tower stands in; undefined for heads, projections and
 * whatever else stands outside of the towers.
 */
export function towerParameter(
  { sites, readout }: Pick<Model, 'sites' | 'readout'>,
  path: string,
): { readonly tower: string; readonly name: string } | undefined {
  const outside = [...readout.heads, ...readout.projections.map(({ parameter }) => parameter)];
  if (outside.includes(path.split('.')[0] ?? '')) return undefined;
  const towers = [...new Set(sites.map(({ tower }) => tower))];
  const [first] = towers;
  const tower =
    towers.find((name) => path.startsWith(`${name}.`)) ?? (towers.length === 1 ? first : undefined);
  return tower === undefined ? undefined : { tower, name: inTower(tower, path) };
}

const inTower = (tower: string, path: string): string =>
  path.startsWith(`${tower}.`) ? path : `${tower}.${path}`;
