import { type Decision, keptUnits } from '../decision/decision';
import { presentColumns } from '../decision/share';
import type { Site } from '../sites/site';
import type { BlockShape, TowerConfig } from '../transformer/block';
import { fullestHead } from './ties';

/** The tower that a decision leaves; `sites` are the tower's own, as `towerSites` lists them. */
export function shrunkTower(tower: TowerConfig, sites: readonly Site[], decision: Decision): TowerConfig {
  const blocks = tower.blocks.map((shape, layer) =>
    sites
      .filter((site) => site.layer === layer)
      .reduce<BlockShape>((left, site) => ({ ...left, ...shapeAt(site, tower.heads, decision) }), shape),
  );
  return { ...tower, blocks };
}

function shapeAt(site: Site, heads: number, decision: Decision): Partial<BlockShape> {
  const decided = decision.sites[site.id];
  if (decided?.kind !== 'share') {
    const { length } = keptUnits(decision, site);
    return site.structure === 'attention' ? { headDim: length } : { hiddenDim: length };
  }
  const { query = '', hidden = '' } = decided.columns;
  if (site.structure === 'ffn') return { hiddenDim: presentColumns(hidden).length };
  const queryKeyDim = fullestHead(query, heads);
  return queryKeyDim === site.units ? {} : { queryKeyDim };
}
