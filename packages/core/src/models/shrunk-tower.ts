import { type Decision, keptUnits } from '../decision/decision';
import type { Site } from '../sites/site';
import type { TowerConfig } from '../transformer/block';

/** The tower that a decision leaves; `sites` are the tower's own, as `towerSites` lists them. */
export function shrunkTower(tower: TowerConfig, sites: readonly Site[], decision: Decision): TowerConfig {
  const keptAt = (structure: Site['structure']) =>
    sites.filter((site) => site.structure === structure).map((site) => keptUnits(decision, site).length);
  const headDims = keptAt('attention');
  const blocks = keptAt('ffn').map((hiddenDim, layer) => ({ headDim: headDims[layer] ?? 0, hiddenDim }));
  return { ...tower, blocks };
}
