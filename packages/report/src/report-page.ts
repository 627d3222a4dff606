import { type Html, html } from './html';
import type { PageData } from './page-data';
import {
  environmentSection,
  failureSection,
  figuresSection,
  keptSection,
  ledgerSection,
} from './sections/details';
import { frontSection } from './sections/front';
import { resultTables } from './sections/results';
import { verdictSection } from './sections/verdict';
import { type PagePart, pageOf } from './shell';

/**
 * The page of a comparison.
 * @throws {Error} when this package has not been built: the charts are bundled then.
 */
export function reportPage(data: PageData): string {
  const parts: PagePart[] = [
    { id: 'verdict', name: 'What to choose', section: verdictSection(data) },
    { id: 'curves', name: 'Size and quality', section: curvesSection },
    { id: 'front', name: 'The best', section: frontSection(data) },
    { id: 'results', name: 'All results', section: tablesSection(data) },
    { id: 'kept', name: 'What was kept', section: keptSection(data.kept) },
    { id: 'figures', name: 'More of the methods', section: figuresSection(data.figures) },
    { id: 'failures', name: 'Failures', section: failureSection(data.failures) },
    { id: 'ledger', name: 'Training spent', section: ledgerSection(data.ledger) },
    { id: 'environment', name: 'Environment', section: environmentSection(data) },
  ];
  return pageOf(data, parts, { kind: 'comparison', ...data });
}

const curvesSection = html`<section id="curves">
  <h2>Size and quality</h2>
  <p>
    Every point is a model: the higher, the better its answers; the further to the right, the smaller or
    faster it is. Bars show how far apart repetitions lie. Yardsticks are grey and dashed: whatever is worth
    its trouble lies above them. ✕ marks runs that failed.
  </p>
  <div class="controls" id="curve-controls"></div>
  <figure class="card"><div class="chart" id="curve"></div></figure>
</section>`;

const tablesSection = ({ tables, dense, failures, confidence }: PageData): Html =>
  html`<section id="results">
    <h2>All results</h2>
    <p>
      Rows stand by their mean score. A place such as 2–4 says what the seeds are sure of: at least one
      contender is better beyond doubt, and all behind place 4 are worse beyond doubt. Beyond doubt is a
      difference, seed by seed, whose interval over at least three seeds has no zero in it. As the seeds of
      some lie further apart than those of others, a range may begin before that of a higher row. No interval
      is narrower than the size of the test set allows, however well the seeds agree. Pairs are looked at one
      by one, so among many pairs some are decided by chance. – means that no interval says anything.
    </p>
    ${resultTables(tables, dense, failures, confidence)}
  </section>`;
