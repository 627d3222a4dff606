import { type Html, html } from './html';
import { count, milliseconds, percent, times } from './numbers';
import type { BuiltModel, FrontPoint, PlanPageData } from './plan-data';
import { environmentSection } from './sections/details';
import { frontPlot } from './sections/front-plot';
import { tableOf } from './sections/tables';
import { metricWords } from './sections/words';
import { pageOf } from './shell';

/**
 * The page of a plan: the front of sizes, multiply–accumulates and latencies with the scores that are expected, and what was built.
 * @throws {Error} when this package has not been built.
 */
export function planPage(data: PlanPageData): string {
  return pageOf(
    data,
    [
      { id: 'front', name: 'Front', section: frontSection(data) },
      { id: 'built', name: 'Built models', section: builtSection(data) },
      { id: 'environment', name: 'Environment', section: environmentSection(data) },
    ],
    { kind: 'plan', ...data },
  );
}

/** An axis of costs. */
interface CostAxis {
  readonly name: string;
  /** The cost in the axis's unit; null where it is not known. */
  of(point: Pick<FrontPoint, 'parameters' | 'macs' | 'latencyMs'>): number | null;
  /** The measured one of a built model, where that is another. */
  measured?(model: BuiltModel): number | null;
}

const MILLION = 1e6;
const axes: readonly CostAxis[] = [
  { name: 'Parameters, millions', of: ({ parameters }) => parameters / MILLION },
  { name: 'Multiply–accumulates, millions', of: ({ macs }) => macs / MILLION },
  {
    name: 'Latency of one example, ms',
    of: ({ latencyMs }) => latencyMs,
    measured: ({ measuredMs }) => measuredMs,
  },
];

function frontSection(data: PlanPageData): Html {
  const { front, built, dense, metric, budgetUnit } = data;
  return html`<section id="front">
    <h2>The front</h2>
    <p>
      For each budget the numbers of units that are expected to lose least. Expected scores lie on the line
      between the models that were built; beyond the smallest of them nothing is said.
    </p>
    ${axes.flatMap((axis) => {
      const line = front.flatMap((point) => {
        const x = axis.of(point);
        return x === null || point.expected === null
          ? []
          : [{ x, y: point.expected.score, plusMinus: point.expected.plusMinus }];
      });
      if (line.length < 2) return [];
      const dots = built.flatMap((model) => {
        const x = (axis.measured ?? axis.of)(model);
        return x === null ? [] : [{ x, y: model.score }];
      });
      return [
        frontPlot({
          title: `${metricWords(metric)} by ${axis.name.toLowerCase()}`,
          horizontal: axis.name,
          vertical: metricWords(metric),
          line,
          dots,
        }),
      ];
    })}
    ${tableOf(
      `The front by ${budgetUnit}`,
      ['Kept', 'Parameters', '× smaller', 'MACs', 'Predicted latency', `Expected ${metricWords(metric)}`],
      front.map(({ keep, parameters, macs, latencyMs, expected }) => ({
        cells: [
          percent(keep),
          count(parameters),
          times(dense.parameters / parameters),
          count(macs),
          latencyMs === null ? '' : milliseconds(latencyMs),
          expected === null ? '' : `${expected.score.toFixed(1)} ± ${expected.plusMinus.toFixed(1)}`,
        ],
      })),
    )}
  </section>`;
}

const builtSection = ({ built, dense, metric, scoredOn, latencyOff }: PlanPageData): Html =>
  html`<section id="built">
    <h2>Built models</h2>
    <p>
      Cut, reconstructed and scored on ${scoredOn}, without
      training.${
        latencyOff === null
          ? ''
          : ` Predicted latencies are up to ${percent(latencyOff)} off those that were measured, beside the full model of the time.`
      }
    </p>
    ${tableOf(
      'Built models',
      [
        'Kept',
        'Parameters',
        'MACs',
        'Predicted latency',
        'Measured',
        'Full model beside it',
        metricWords(metric),
      ],
      [
        {
          kind: 'dense',
          cells: [
            'all',
            count(dense.parameters),
            count(dense.macs),
            dense.latencyMs === null ? '' : milliseconds(dense.latencyMs),
            '',
            '',
            dense.score.toFixed(2),
          ],
        },
        ...built.map(({ keep, parameters, macs, latencyMs, measuredMs, denseMs, score }) => ({
          cells: [
            percent(keep),
            count(parameters),
            count(macs),
            latencyMs === null ? '' : milliseconds(latencyMs),
            measuredMs === null ? '' : milliseconds(measuredMs),
            denseMs === null ? '' : milliseconds(denseMs),
            score.toFixed(2),
          ],
        })),
      ],
    )}
  </section>`;
