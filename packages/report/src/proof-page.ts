import { type Html, html } from './html';
import { count } from './numbers';
import type { ProofPageData } from './proof-data';
import { tableOf } from './sections/tables';
import { type PagePart, pageOf } from './shell';

/** The question that each part of a proof asks, for a reader. */
const questions: Readonly<Record<string, string>> = {
  files: 'Are the files there, and do they take what they should?',
  labels: 'Do they say of themselves what the model is?',
  decision: 'Is what the decision keeps what the model has?',
  weights: 'Are their numbers those of the model?',
  widths: 'Are the products as narrow as the model’s, as they ran?',
  counts: 'Are parameters, multiply–accumulates and bytes those of the report?',
  outputs: 'Are the answers those of the engine?',
  batch: 'Does an answer depend on its own example alone?',
  agreement: 'Are the classes of real pictures the same?',
  latency: 'How fast is it, beside the dense model?',
};

/**
 * The page of a proof: every part with what was found, times of both models, files with their digests. It needs no script.
 * @throws {Error} when this package has not been built: the shell of all pages is bundled then.
 */
export function proofPage(data: ProofPageData): string {
  const failed = data.checks.filter(({ verdict }) => verdict === 'fails').map(({ name }) => name);
  const title = data.verdict === 'proven' ? 'The files are the model' : 'The files are not the model';
  const parts: PagePart[] = [
    { id: 'checks', name: 'What was asked', section: checksSection(data) },
    ...(data.timings.length === 0 ? [] : [{ id: 'times', name: 'Times', section: timesSection(data) }]),
    { id: 'files', name: 'Files', section: filesSection(data) },
    { id: 'environment', name: 'Environment', section: environmentSection(data) },
  ];
  const summary =
    failed.length === 0
      ? `${data.model.summary}, as ONNX files in ${data.model.precision}: every part of the proof that was made holds.`
      : `${data.model.summary}, as ONNX files in ${data.model.precision}: of the proof fails ${failed.join(', ')}.`;
  return pageOf({ title, summary, remarks: [] }, parts, { kind: 'proof' });
}

const marks = { holds: '✓ Holds', fails: '✕ Fails', 'left out': '– Left out' } as const;

const checksSection = ({ checks }: ProofPageData): Html =>
  html`<section id="checks">
    <h2>What was asked</h2>
    <p>
      The files were read and run by ONNX Runtime in a process of its own; what the model is was asked of the
      engine that trained it.
    </p>
    ${checks.map(
      ({ name, verdict, says }) =>
        html`<h3>${marks[verdict]}: ${name}</h3>
          <p class="lead">${questions[name] ?? ''}</p>
          <ul>
            ${says.map((text) => html`<li>${text}</li>`)}
          </ul>`,
    )}
  </section>`;

const timesSection = ({ timings }: ProofPageData): Html =>
  html`<section id="times">
    <h2>Times</h2>
    <p>Both models by turns, with the same threads. Intervals hold the median with 95 % confidence.</p>
    ${tableOf(
      'Milliseconds for a batch',
      ['Part', 'Batch', 'Rounds', 'Dense', 'This model', 'Times faster'],
      timings.map(({ part, batch, rounds, denseMs, ownMs, timesFaster }) => ({
        cells: [
          part,
          String(batch),
          String(rounds),
          intervalText(denseMs),
          intervalText(ownMs),
          `${intervalText(timesFaster)}${timesFaster.low > 1 ? '' : ' – no faster'}`,
        ],
      })),
    )}
  </section>`;

const intervalText = ({
  median,
  low,
  high,
}: {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}): string => `${digits(median)} (${digits(low)} to ${digits(high)})`;

/** Three digits, or more before a point: never an exponent. */
const digits = (value: number): string => (value < 999.5 ? value.toPrecision(3) : value.toFixed(0));

const filesSection = ({ files, counts, model, against }: ProofPageData): Html =>
  html`<section id="files">
    <h2>Files</h2>
    ${tableOf(
      'Files and parameters, with their SHA-256',
      ['What', 'Size', 'SHA-256'],
      [
        ...files.map(({ path, bytes, sha256 }) => ({
          cells: [path, `${count(bytes)} bytes`, html`<code>${sha256}</code>`],
        })),
        {
          cells: [
            'the model’s parameters',
            count(counts.parameters.report),
            html`<code>${model.parametersSha256}</code>`,
          ],
        },
        ...(against === null
          ? []
          : [
              { cells: ['the dense model’s parameters', '', html`<code>${against.parametersSha256}</code>`] },
            ]),
      ],
    )}
  </section>`;

const environmentSection = ({ environment }: ProofPageData): Html =>
  html`<section id="environment">
    <h2>Environment</h2>
    ${tableOf(
      'With what the proof was made',
      ['', ''],
      Object.entries(environment).map(([name, value]) => ({ cells: [name, String(value)] })),
    )}
  </section>`;
