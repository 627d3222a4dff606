import { activityRanker, sumOfColumns } from './ranker';

/** Σ Var(h) over the unit's copies: a unit that always says the same can be folded into a bias. */
export const variance = activityRanker(
  {
    name: 'variance',
    title: 'Variance',
    paper: 'Variance-Based Pruning for Accelerating and Compressing Trained Networks, ICCV 2025',
    summary: 'units whose activations vary least',
    scope: 'isomorphic',
    scale: 'none',
  },
  (columns, site) =>
    sumOfColumns(
      site,
      columns.map(({ variance }) => variance),
    ),
);
