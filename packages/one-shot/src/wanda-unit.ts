import { activityRanker, sumOfColumns } from './ranker';
import { readerNorms } from './readers';

/** √(Σ ‖w_out‖²·E[h²]) over the unit's copies: the size of what a unit adds to its layer's output. */
export const wandaUnit = activityRanker(
  {
    name: 'wanda-unit',
    title: 'Weights and activations',
    paper:
      'Sun et al., A Simple and Effective Pruning Approach for Large Language Models, ICLR 2024; here of whole units',
    summary:
      'units that add least to what their layer gives: norm of the weights that read them, times activation',
    scope: 'isomorphic',
    scale: 'none',
  },
  (columns, site, { params }) => {
    const norms = readerNorms(site, params);
    return sumOfColumns(
      site,
      columns.map(({ energy }, at) => (norms[at] ?? NaN) * energy),
    ).map(Math.sqrt);
  },
);
