import { readFileSync } from 'node:fs';
import { html, jsonScript } from './html';
import type { PageData } from './page-data';
import { environmentSection, failureSection, keptTables, ledgerSection } from './sections/details';
import { resultTables } from './sections/tables';
import { style } from './style';

/** The element that holds the page's data. */
export const DATA_ID = 'data';

/**
 * One page with everything in it: it opens from a disk, without a network. Its tables need no script.
 * @throws {Error} when this package has not been built: the charts are bundled then.
 */
export function reportPage(data: PageData): string {
  const { title, summary, tables, dense, failures, confidence, kept, figures } = data;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
        />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${{ html: style }}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="lead">${summary}</p>
          <nav aria-label="Parts of the page">
            <ul>
              <li><a href="#curves">Trade-off</a></li>
              <li><a href="#results">Tables</a></li>
              <li><a href="#kept">What was kept</a></li>
              <li><a href="#figures">Figures</a></li>
              <li><a href="#failures">Failures</a></li>
              <li><a href="#ledger">Ledger</a></li>
              <li><a href="#environment">Environment</a></li>
            </ul>
          </nav>
        </header>
        <main>
          <section id="curves">
            <h2>Trade-off</h2>
            <p>
              Scores against what a model costs, as achieved. Error bars are sample deviations over seeds;
              controls are dashed; ✕ is a budget at which runs failed. The tables below say the same.
            </p>
            <div class="controls" id="curve-controls"></div>
            <figure class="card"><div class="chart" id="curve"></div></figure>
          </section>
          <section id="results">
            <h2>Tables</h2>
            <p>
              A rank is 1 more than the number of contenders that are better beyond doubt: whose seed-paired
              difference has an interval without zero. Pairs are looked at one by one, so among many pairs
              some are decided by chance. – means that no interval says anything.
            </p>
            ${resultTables(tables, dense, failures, confidence)}
          </section>
          <section id="kept">
            <h2>What was kept</h2>
            <p>
              The share of the dense model's units that every layer kept, by component, in percent; where a
              method masks single weights, the share of the weights of every matrix.
            </p>
            <div class="controls" id="kept-controls"></div>
            <div class="maps" id="kept-maps"></div>
            ${keptTables(kept)}
          </section>
          <section id="figures">
            <h2>Figures of the methods</h2>
            ${
              figures.length === 0
                ? html`<p>No method of this page found more than its decision.</p>`
                : html`<div class="controls" id="figure-controls"></div>
                    <div id="figure-list"></div>`
            }
          </section>
          ${failureSection(failures)} ${ledgerSection(data.ledger)} ${environmentSection(data)}
        </main>
        <noscript><p>Charts need JavaScript; the tables have all numbers.</p></noscript>
        ${jsonScript(DATA_ID, data)}
        <script>
          ${{ html: clientScript() }};
        </script>
      </body>
    </html> `;
  return page.html;
}

/** What draws the charts, as this package's build leaves it: this module lies one folder below the package's root. */
function clientScript(): string {
  const text = readFileSync(new URL('../dist/page.js', import.meta.url), 'utf8');
  // A script in a page ends at the first such text, wherever it stands.
  return text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
}
