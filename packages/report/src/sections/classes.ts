import type { ClassResult, ClassResults } from '../class-results';
import { type Html, html } from '../html';
import type { ChangedPictures } from '../run-data';
import { tableOf } from './tables';

/** The recognition of each class, before the cut and after it. */
export function classSection({ classes, results }: ClassResults): Html {
  const isWhole = results.length === classes;
  const hasAfter = results.some(({ rightAfter }) => rightAfter !== null);
  return html`<section id="classes">
    <h2>Classes</h2>
    <p>
      The share of each class's test pictures that is recognised.
      ${isWhole ? '' : `Of ${classes} classes, the ${results.length} with the most ${hasAfter ? 'changes' : 'mistakes'}.`}
    </p>
    ${tableOf(
      'Right answers by class',
      ['Class', 'Pictures', ...(hasAfter ? ['Full model', 'Smaller model', 'Difference'] : ['Right'])],
      results.map((result) => ({ cells: [result.name, String(result.examples), ...sharesOf(result)] })),
    )}
  </section>`;
}

function sharesOf({ examples, right, rightAfter }: ClassResult): string[] {
  const share = (number: number) => (100 * number) / examples;
  const before = `${share(right).toFixed(1)} %`;
  if (rightAfter === null) return [before];
  const difference = share(rightAfter) - share(right);
  return [
    before,
    `${share(rightAfter).toFixed(1)} %`,
    `${difference > 0 ? '+' : ''}${difference.toFixed(1)}`,
  ];
}

/** The classes that are taken for others. */
export function confusionSection({ confusions, matrix: { names, after }, classes }: ClassResults): Html {
  const isWhole = names.length === classes;
  return html`<section id="confusion">
    <h2>Mix-ups</h2>
    <p>
      Which class (down) is taken for which (across), in percent of its pictures.
      ${isWhole ? '' : `The ${names.length} of ${classes} classes that are mixed up most.`}
    </p>
    <div class="matrices" id="confusion-maps"></div>
    ${
      confusions.length === 0
        ? html`<p>Nothing was mixed up.</p>`
        : tableOf(
            'What is mixed up most, in pictures',
            [
              'Is',
              'Taken for',
              ...(after === null ? ['Pictures'] : ['By the full model', 'By the smaller one']),
            ],
            confusions.map(({ label, taken, before, after }) => ({
              cells: [label, taken, String(before), ...(after === null ? [] : [String(after)])],
            })),
          )
    }
  </section>`;
}

/** Pictures that the cut changed the answer for. */
export function picturesSection({ lost, gained, shown, reason }: ChangedPictures): Html {
  return html`<section id="pictures">
    <h2>Pictures that the cut changed</h2>
    <p>
      ${lost} that were right are wrong now, ${gained} the other way round.
      ${reason === '' ? '' : `They cannot be shown: ${reason}`}
    </p>
    <div class="pictures">
      ${shown.map(
        ({ source, label, before, after }) =>
          html`<figure class="card">
            <img src="${source}" alt="${label}" />
            <figcaption>
              <strong>${label}</strong><br />full model: ${before}<br />smaller model: ${after}
            </figcaption>
          </figure> `,
      )}
    </div>
  </section>`;
}
