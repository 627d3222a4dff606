import { type Html, html } from '../html';
import type { SaidExample, ShownBox } from '../run-data';

/** The models' answers to some examples, before the cut and after it. */
export function saidSection(examples: readonly SaidExample[]): Html {
  const hasBoxes = examples.some(({ boxes }) => boxes !== undefined);
  return html`<section id="said">
    <h2>What is said of some pictures</h2>
    <p>
      Examples from all over the test split, whatever came out.
      ${hasBoxes ? 'Dashed boxes are where things are, the others where the model finds them.' : ''}
    </p>
    <div class="${hasBoxes ? 'pictures pairs' : 'pictures'}">
      ${examples.map(
        (example) =>
          html`<figure class="card">
            ${picturesOf(example)}
            <figcaption>${captionOf(example)}</figcaption>
          </figure> `,
      )}
    </div>
  </section>`;
}

const captionOf = ({ asked, right, dense, compressed }: SaidExample): Html =>
  html`${asked === '' ? html`` : html`<strong>${asked}</strong><br />`}right: ${right}<br />full model:
    ${dense}${compressed === undefined ? html`` : html`<br />smaller model: ${compressed}`}`;

function picturesOf({ pictures, right, boxes }: SaidExample): Html {
  if (boxes === undefined)
    return html`${pictures.map((source) => html`<img src="${source}" alt="${right}" />`)}`;
  const [source = ''] = pictures;
  return html`<div class="sides">
    ${boxed(source, 'full model', boxes.right, boxes.dense)}
    ${boxes.compressed === undefined ? '' : boxed(source, 'smaller model', boxes.right, boxes.compressed)}
  </div>`;
}

/** A box that ends lower in its picture has its label above it. */
const LOW = 0.85;

/** A picture with the right boxes, and those that one of the models found. */
const boxed = (source: string, who: string, right: readonly ShownBox[], found: readonly ShownBox[]): Html =>
  html`<div>
    <div class="boxed">
      <img src="${source}" alt="a picture with what the ${who} finds" />
      ${right.map((box) => drawn(box, 'right'))} ${found.map((box) => drawn(box, 'found'))}
    </div>
    <small>${who}</small>
  </div>`;

function drawn({ box: [left, top, right, bottom], label }: ShownBox, kind: 'right' | 'found'): Html {
  const at = (share: number): string => `${(100 * share).toFixed(2)}%`;
  const place = `left:${at(left)};top:${at(top)};width:${at(right - left)};height:${at(bottom - top)}`;
  return html`<span class="${kind}" style="${place}" title="${label}"
    >${kind === 'found' && label !== '' ? html`<i class="${bottom > LOW ? 'above' : 'below'}">${label}</i>` : ''}</span
  >`;
}
