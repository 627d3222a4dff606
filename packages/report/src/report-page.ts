import { type Html, html } from './html';
import type { PageData } from './page-data';
import { environmentSection, failureSection, keptTables, ledgerSection } from './sections/details';
import { resultTables } from './sections/tables';
import { type PagePart, pageOf } from './shell';

/**
 * The page of a comparison.
 * @throws {Error} when this package has not been built: the charts are bundled then.
 */
export function reportPage(data: PageData): string {
  const parts: PagePart[] = [
    { id: 'curves', name: 'Trade-off', section: curvesSection },
    { id: 'results', name: 'Tables', section: tablesSection(data) },
    { id: 'kept', name: 'What was kept', section: keptSection(data) },
    { id: 'figures', name: 'Figures', section: figuresSection(data) },
    { id: 'failures', name: 'Failures', section: failureSection(data.failures) },
    { id: 'ledger', name: 'Ledger', section: ledgerSection(data.ledger) },
    { id: 'environment', name: 'Environment', section: environmentSection(data) },
  ];
  return pageOf(data, parts, { kind: 'comparison', ...data });
}

const curvesSection = html`<section id="curves">
  <h2>Trade-off</h2>
  <p>
    Scores against what a model costs, as achieved. Error bars are sample deviations over seeds; controls are
    grey and dashed; ✕ is a budget at which runs failed. The tables below say the same.
  </p>
  <div class="controls" id="curve-controls"></div>
  <figure class="card"><div class="chart" id="curve"></div></figure>
</section>`;

const tablesSection = ({ tables, dense, failures, confidence }: PageData): Html =>
  html`<section id="results">
    <h2>Tables</h2>
    <p>
      A rank is 1 more than the number of contenders that are better beyond doubt: whose seed-paired
      difference has an interval without zero, over at least three seeds. No interval is narrower than the
      size of the test set allows, however well the seeds agree. Pairs are looked at one by one, so among many
      pairs some are decided by chance. – means that no interval says anything.
    </p>
    ${resultTables(tables, dense, failures, confidence)}
  </section>`;

const keptSection = ({ kept }: PageData): Html =>
  html`<section id="kept">
    <h2>What was kept</h2>
    <p>
      The share of the dense model's units that every layer kept, by component, in percent; where a method
      masks single weights, the share of the weights of every matrix.
    </p>
    <div class="controls" id="kept-controls"></div>
    <div class="maps" id="kept-maps"></div>
    ${keptTables(kept)}
  </section>`;

const figuresSection = ({ figures }: PageData): Html =>
  html`<section id="figures">
    <h2>Figures of the methods</h2>
    ${
      figures.length === 0
        ? html`<p>No method of this page found more than its decision.</p>`
        : html`<div class="controls" id="figure-controls"></div>
            <div id="figure-list"></div>`
    }
  </section>`;
