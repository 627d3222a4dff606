import { type Model, type PrunableMatrix, isOfHead, joinPath, pathWithin } from '@winnow/core';

/**
 * Names a matrix in a ticket, whichever model its tower stands in: `vision.blocks.3.ffn.expand.weight`,
 * `text.projection`. A classifier's vision tower and that of a dual encoder have the same names.
 */
export const ticketName = ({ tower, inTower }: Pick<PrunableMatrix, 'tower' | 'inTower'>): string =>
  joinPath(tower, inTower);

/** The tower and the place in it of a matrix that a ticket names: `layer 3`, or `projection` after the blocks. */
export function ticketPlace(name: string): { readonly tower: string; readonly place: string } {
  const [, tower = name, layer] = /^([^.]*)(?:\.blocks\.([^.]*))?/.exec(name) ?? [];
  return { tower, place: layer === undefined ? 'projection' : `layer ${layer}` };
}

/**
 * Names a parameter of a tower, whichever model the tower stands in; undefined for heads, projections and
 * whatever else stands outside of the towers.
 */
export function towerParameter(
  model: Pick<Model, 'sites' | 'readout'>,
  path: string,
): { readonly tower: string; readonly name: string } | undefined {
  const { sites, readout } = model;
  if (isOfHead(model, path) || readout.projections.some(({ parameter }) => parameter === path)) {
    return undefined;
  }
  const towers = new Map(sites.map(({ tower, towerPath }) => [tower, towerPath]));
  for (const [tower, towerPath] of towers) {
    const inTower = pathWithin(towerPath, path);
    if (inTower !== undefined) return { tower, name: ticketName({ tower, inTower }) };
  }
  return undefined;
}
