import { activityRanker, sumOfColumns } from './ranker';
import { readerNorms } from './readers';

/** Σ Var(h)·‖w_out‖² over the unit's copies (Equation 5), standardised within each site, then in one list (Section 3.3). */
export const flap = activityRanker(
  {
    name: 'flap',
    title: 'Fluctuation',
    paper: 'An et al., Fluctuation-based Adaptive Structured Pruning for Large Language Models, AAAI 2024',
    summary: 'units whose contribution fluctuates least, standardised site by site',
    scope: 'global',
    scale: 'site',
  },
  (columns, site, { params }) => {
    const norms = readerNorms(site, params);
    return sumOfColumns(
      site,
      columns.map(({ variance }, at) => (norms[at] ?? NaN) * variance),
    );
  },
);
