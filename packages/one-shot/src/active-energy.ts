import { activityRanker, sumOfColumns } from './ranker';

/** Σ E[h²]·P(|h| > ε) over the unit's copies. */
export const activeEnergy = activityRanker(
  {
    name: 'active-energy',
    title: 'Active energy',
    paper: 'CORP: Closed-Form One-shot Representation-Preserving Structured Pruning, 2026 (arXiv 2602.05243)',
    summary: 'units whose activations have least energy, counted by how often they are active',
    scope: 'isomorphic',
    scale: 'none',
  },
  (columns, site) =>
    sumOfColumns(
      site,
      columns.map(({ energy, activeShare }) => energy * activeShare),
    ),
);
