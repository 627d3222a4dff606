import { recommendationsOf, wordsOf } from '@winnow/comparison';
import { type Html, html } from '../html';
import type { PageData } from '../page-data';
import { metricWords } from './words';

/** The answer, before anything that it rests on: what to take of each size, and why. */
export function verdictSection({ tables, dense, confidence, budgetUnit }: PageData): Html {
  const all = recommendationsOf(tables, dense);
  const workloads = [...new Set(tables.map(({ workload }) => workload))];
  const seeds = Math.max(0, ...all.map(({ row }) => row.score.seeds));
  return html`<section id="verdict">
    <h2>What to choose</h2>
    ${all.length === 0 ? html`<p>There is no smaller model to choose yet.</p>` : html``}
    ${workloads.map((workload) => {
      const own = all.filter((each) => each.workload === workload);
      return html`${workloads.length > 1 && own.length > 0 ? html`<h3>${workload}</h3>` : html``}
      ${own.map((recommendation) => {
        const { advice, reasons } = wordsOf(recommendation, { confidence, budgetUnit });
        return html`<div class="advice card">
          <p><strong>${advice}</strong></p>
          <p>${reasons.join(' ')}</p>
        </div>`;
      })}`;
    })}
    ${
      seeds < 2
        ? html``
        : html`<p class="note">
            ± is how far apart ${seeds} repetitions lie, each with other random numbers
            (${[...new Set(tables.map(({ metric }) => metricWords(metric)))].join('; ')}).
          </p>`
    }
  </section>`;
}
