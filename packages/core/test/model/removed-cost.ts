import { type Cost, type Decision, type Site, keptUnits, scaleCost, sumCosts } from '../../src/index';

/** Sums what a decision about whole units removes, by the costs of single units. */
export const removedCost = (decision: Decision, sites: readonly Site[]): Cost =>
  sumCosts(sites.map((site) => scaleCost(site.unitCost, site.units - keptUnits(decision, site).length)));
