import type { Failure } from '@winnow/comparison';
import type { LedgerEntry } from '@winnow/core';
import { type Html, html } from '../html';
import { count, percent, seconds } from '../numbers';
import type { FoundFigures, KeptMap, LedgerRow, Provenance } from '../page-data';
import { tableOf } from './tables';
import { trackWords } from './words';

export function failureSection(failures: readonly Failure[]): Html {
  return html`<section id="failures">
    <h2>Failures</h2>
    ${
      failures.length === 0
        ? html`<p>Every run finished.</p>`
        : tableOf(
            'Runs that failed',
            ['Run', 'Workload', 'Seed', 'Why'],
            failures.map(({ what, workload, seed, message }) => ({
              kind: 'failed',
              cells: [what, workload, String(seed), html`<pre>${message}</pre>`],
            })),
          )
    }
  </section>`;
}

/** Compute as the runner counted it; no method declares its own. */
export const ledgerSection = (ledger: readonly LedgerRow[]): Html =>
  computeSection(
    ['Contender', 'Workload', 'Training', 'Budget'],
    ledger.flatMap(({ label, workload, track, budget, phases }) =>
      phases.map((entry) => ({ names: [label, workload, trackWords(track), budget], entry })),
    ),
    ', as means over the seeds',
  );

/** The phases of one run. */
export const phasesSection = (phases: readonly LedgerEntry[]): Html =>
  computeSection(
    [],
    phases.map((entry) => ({ names: [], entry })),
  );

function computeSection(
  names: readonly string[],
  rows: readonly { readonly names: readonly string[]; readonly entry: LedgerEntry }[],
  spread = '',
): Html {
  return html`<section id="ledger">
    <h2>Ledger</h2>
    <p>
      What the runner measured in every phase${spread}: training multiply–accumulates (forward and backward),
      wall time, and the largest resident memory of the process.
    </p>
    <details>
      <summary>Phase by phase</summary>
      ${tableOf(
        'Compute spent, phase by phase',
        [...names, 'Phase', 'Steps', 'Examples', 'Training MACs', 'Time', 'Peak memory'],
        rows.map(({ names, entry }) => ({
          cells: [
            ...names,
            entry.phase,
            count(Math.round(entry.steps)),
            count(Math.round(entry.examples)),
            count(entry.trainingMacs),
            seconds(entry.wallMs),
            entry.peakMemoryBytes === undefined ? '' : `${count(entry.peakMemoryBytes)}B`,
          ],
        })),
      )}
    </details>
  </section>`;
}

/** Which units every contender kept. */
export const keptSection = (kept: readonly KeptMap[]): Html =>
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

/** The findings of methods beside their decisions. */
export const figuresSection = (figures: readonly FoundFigures[]): Html =>
  html`<section id="figures">
    <h2>Figures of the methods</h2>
    ${
      figures.length === 0
        ? html`<p>No method of this page found more than its decision.</p>`
        : html`<div class="controls" id="figure-controls"></div>
            <div id="figure-list"></div>`
    }
  </section>`;

/** The heat maps as numbers, for those who cannot see them. */
function keptTables(kept: readonly KeptMap[]): Html {
  return html`<details>
    <summary>The same as tables</summary>
    ${kept.map(({ workload, track, budget, label, cells }) => {
      const layers = [...new Set(cells.map(({ layer }) => layer))].sort((a, b) => a - b);
      const components = [...new Set(cells.map(({ component }) => component))];
      return tableOf(
        `Kept by ${label}, ${workload}, ${budget}, ${trackWords(track)}`,
        ['', ...layers.map((layer) => `Layer ${layer}`)],
        components.map((component) => ({
          cells: [
            component,
            ...layers.map((layer) => {
              const cell = cells.find((each) => each.layer === layer && each.component === component);
              if (cell === undefined) return '';
              return cell.borrowed === 0
                ? percent(cell.kept)
                : `${percent(cell.kept)} own, ${percent(cell.borrowed)} borrowed`;
            }),
          ],
        })),
      );
    })}
  </details>`;
}

export function environmentSection({ environment, command, config }: Provenance): Html {
  return html`<section id="environment">
    <h2>Environment</h2>
    <dl>
      ${environment.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    <h3>How to reproduce it</h3>
    <pre tabindex="0"><code>${command}</code></pre>
    ${
      config === ''
        ? html``
        : html`<details>
            <summary>All that was asked for</summary>
            <pre tabindex="0"><code>${config}</code></pre>
          </details>`
    }
  </section>`;
}
