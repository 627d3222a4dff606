import { outcomeWords } from '@winnow/comparison';
import { type Html, html } from './html';
import { count, spreadText } from './numbers';
import type { RunPageData, RunProofData } from './run-data';
import { classSection, confusionSection, picturesSection } from './sections/classes';
import { environmentSection, figuresSection, keptSection, phasesSection } from './sections/details';
import { saidSection } from './sections/said';
import { costTable } from './sections/results';
import { tableOf } from './sections/tables';
import { metricWords } from './sections/words';
import { type PagePart, pageOf } from './shell';

/**
 * The page of a single run: what came out, how the training went, which classes and pictures the cut changed. There is nothing to
 * rank.
 * @throws {Error} when this package has not been built: the charts are bundled then.
 */
export function runPage(data: RunPageData): string {
  const { classes, changed, said, losses, kept, figures, ledger } = data;
  const parts: PagePart[] = [
    { id: 'outcome', name: 'What came out', section: outcomeSection(data) },
    ...(losses.length === 0 ? [] : [{ id: 'losses', name: 'Training', section: lossSection(data) }]),
    ...(classes === null
      ? []
      : [
          { id: 'classes', name: 'Classes', section: classSection(classes) },
          { id: 'confusion', name: 'Mix-ups', section: confusionSection(classes) },
        ]),
    ...(changed === null ? [] : [{ id: 'pictures', name: 'Pictures', section: picturesSection(changed) }]),
    ...(said.length === 0 ? [] : [{ id: 'said', name: 'What is said', section: saidSection(said) }]),
    { id: 'results', name: 'Numbers', section: numbersSection(data) },
    ...(kept.length === 0 ? [] : [{ id: 'kept', name: 'What was kept', section: keptSection(kept) }]),
    ...(figures.length === 0
      ? []
      : [{ id: 'figures', name: 'More of the method', section: figuresSection(figures) }]),
    { id: 'ledger', name: 'Training spent', section: phasesSection(ledger) },
    { id: 'environment', name: 'Environment', section: environmentSection(data) },
  ];
  // The pictures stand in the page already.
  return pageOf(data, parts, { kind: 'run', ...data, changed: null, said: [] });
}

function outcomeSection({ dense, smaller, changed, proof }: RunPageData): Html {
  return html`<section id="outcome">
    <h2>What came out</h2>
    <div class="advice card">
      <p><strong>${outcomeOf({ dense, smaller })}</strong></p>
      ${
        changed === null
          ? html``
          : html`<p>
              Of the pictures that the full model got right, the smaller one gets ${changed.lost} wrong; of
              those that it got wrong, ${changed.gained} right.
            </p>`
      }
      ${proof === null ? html`` : proofNote(proof)}
      <p>This is one run: chance alone makes some difference, and only several of them tell how much.</p>
    </div>
  </section>`;
}

const proofNote = (proof: RunProofData): Html =>
  'none' in proof
    ? html`<p>Its files were not proved in ONNX Runtime: ${proof.none}.</p>`
    : html`<p>
        ONNX files of it are in this folder, and <a href="${proof.page}">a certificate</a> that they are the
        model: ${proof.holds.join(', ')}
        hold${proof.leftOut.length === 0 ? '' : `; ${proof.leftOut.join(' and ')} were left out`}.
      </p>`;

function outcomeOf({ dense, smaller }: Pick<RunPageData, 'dense' | 'smaller'>): string {
  const before = `${dense.score.mean.toFixed(1)} (${metricWords(dense.metric)})`;
  if (smaller === null)
    return `The model was trained and comes to ${before} on pictures that it has not seen.`;
  return `${smaller.label}: ${outcomeWords(smaller, dense, dense.metric)}.`;
}

const lossSection = ({ losses }: RunPageData): Html =>
  html`<section id="losses">
    <h2>Training</h2>
    <p>
      The loss, step by step: how wrong the model is about what it learns from. It should fall, and end flat.
    </p>
    <div class="controls" id="loss-controls"></div>
    <figure class="card"><div class="chart" id="loss"></div></figure>
    ${tableOf(
      'The loss at the beginning and the end of each phase',
      ['Phase', 'Steps', 'At the beginning', 'At the end'],
      losses.map(({ phase, points }) => {
        const [first, last] = [points[0], points[points.length - 1]];
        return {
          cells: [
            phase,
            last === undefined ? '' : count(last[0]),
            first === undefined ? '' : first[1].toPrecision(3),
            last === undefined ? '' : last[1].toPrecision(3),
          ],
        };
      }),
    )}
  </section>`;

function numbersSection({ dense, smaller }: RunPageData): Html {
  const { metric } = dense;
  const names = [metric, ...Object.keys(dense.scores).filter((name) => name !== metric)];
  const scoresOf = (row: typeof dense | NonNullable<typeof smaller>) =>
    names.map((name) => (row.scores[name] === undefined ? '' : spreadText(row.scores[name])));
  const stages =
    smaller === null
      ? []
      : [
          { cells: ['right after the cut', spreadText(smaller.cut)] },
          ...(smaller.afterOneEpoch === null
            ? []
            : [{ cells: ['after one epoch of retraining', spreadText(smaller.afterOneEpoch)] }]),
          { cells: [smaller.label, ...scoresOf(smaller)] },
        ];
  return html`<section id="results">
    <h2>Numbers</h2>
    ${tableOf(
      'Scores on the test split',
      ['Model', ...names],
      [
        { kind: 'dense', cells: ['dense', ...scoresOf(dense)] },
        ...stages.map(({ cells }) => ({ cells: [...cells, ...names.slice(cells.length - 1).map(() => '')] })),
      ],
    )}
    ${costTable(dense.workload, smaller === null ? [] : [smaller], [dense])}
  </section>`;
}
