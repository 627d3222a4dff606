import { type Html, html } from '../html';
import type { SaidExample } from '../run-data';

/** The models' answers to some examples, before the cut and after it. */
export const saidSection = (examples: readonly SaidExample[]): Html =>
  html`<section id="said">
    <h2>What is said of some pictures</h2>
    <p>Examples from all over the test split, whatever came out.</p>
    <div class="pictures">
      ${examples.map(
        ({ pictures, asked, right, dense, compressed }) =>
          html`<figure class="card">
            ${pictures.map((source) => html`<img src="${source}" alt="${right}" />`)}
            <figcaption>
              ${asked === '' ? html`` : html`<strong>${asked}</strong><br />`}right: ${right}<br />full model:
              ${dense}${compressed === undefined ? html`` : html`<br />smaller model: ${compressed}`}
            </figcaption>
          </figure> `,
      )}
    </div>
  </section>`;
