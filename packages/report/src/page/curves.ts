import type { DenseRow, Row, Spread, Table } from '@winnow/comparison';
import { count, milliseconds } from '../numbers';
import type { PageData } from '../page-data';
import { type Colours, chart, described } from './chart';
import { choice, distinct, elementById } from './data';
import { scoreFrame, scoreSeries } from './score-chart';

type Measured = Row | DenseRow;

interface Axis {
  readonly name: string;
  of(row: Measured): Spread | undefined;
  text(value: number): string;
}

const latency =
  (batchSize: number, quantile: 'p50Ms' | 'p95Ms') =>
  (row: Measured): Spread | undefined =>
    row.latencies.find((each) => each.batchSize === batchSize)?.[quantile];

const axes: readonly Axis[] = [
  { name: 'Parameters', of: ({ parameters }) => parameters, text: count },
  { name: 'MACs', of: ({ macs }) => macs, text: count },
  { name: 'Bytes', of: ({ bytes }) => bytes, text: (value) => `${count(value)}B` },
  { name: 'Latency p50, batch 1', of: latency(1, 'p50Ms'), text: milliseconds },
  { name: 'Latency p95, batch 1', of: latency(1, 'p95Ms'), text: milliseconds },
  { name: 'Latency p50, batch 32', of: latency(32, 'p50Ms'), text: milliseconds },
  { name: 'Latency p95, batch 32', of: latency(32, 'p95Ms'), text: milliseconds },
  { name: 'Training compute spent', of: ({ trainingMacs }) => trainingMacs, text: count },
];

/** Which scores are shown. */
const moments = ['after retraining', 'before retraining'] as const;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly deviation: number;
  readonly budget: string;
}

/** Score against cost: one curve for each contender, one point for each budget. */
export function drawCurves({ tables, dense, failures }: PageData): void {
  if (tables.length === 0) {
    elementById('curves').hidden = true;
    return;
  }
  const controls = elementById('curve-controls');
  const redraw = () => {
    drawn?.draw();
  };
  const workload = choice(controls, 'Workload', distinct(tables.map(({ workload }) => workload)), redraw);
  const track = choice(controls, 'Track', distinct(tables.map(({ track }) => track)), redraw);
  const cost = choice(
    controls,
    'Cost',
    axes.map(({ name }) => name),
    redraw,
  );
  const moment = choice(controls, 'Score', moments, redraw);
  const drawn = chart(elementById('curve'), (colours, widthPx) => {
    const axis = axes.find(({ name }) => name === cost()) ?? axes[0];
    const shown = tables.filter((table) => table.workload === workload() && table.track === track());
    const models = dense.filter((row) => row.workload === workload());
    const lost = failures.flatMap(({ point }) =>
      point !== undefined && point.workload === workload() && point.track === track() ? [point] : [],
    );
    const metric = shown[0]?.metric ?? models[0]?.metric ?? '';
    const scoreOf = (row: Measured) =>
      moment() === 'before retraining' && 'cut' in row ? row.cut : row.score;
    const kind = (label: string) =>
      shown.some(({ rows }) => rows.some((row) => row.label === label && row.isControl));
    const labels = distinct(shown.flatMap(({ rows }) => rows.map(({ label }) => label)));
    const curves = [
      {
        label: 'dense',
        isControl: true,
        points: models.flatMap((row) => pointOf(axis, row, scoreOf(row), 'dense')),
      },
      ...labels.map((label) => ({
        label,
        isControl: kind(label),
        points: shown
          .flatMap(({ rows, budget }) =>
            rows
              .filter((row) => row.label === label)
              .flatMap((row) => pointOf(axis, row, scoreOf(row), budget)),
          )
          .sort((a, b) => a.x - b.x),
      })),
    ];
    const marks = distinct(lost.map(({ label, budget }) => `${label}, ${budget}`)).map((name) => {
      const budget = name.slice(name.lastIndexOf(', ') + 2);
      return {
        name,
        x: placeOf(
          axis,
          shown.find((table) => table.budget === budget),
        ),
      };
    });
    return {
      ...optionOf(curves, marks, metric, axis, colours, widthPx),
      ...described(`${metric} ${moment()} against ${axis?.name ?? ''} of ${workload()}, ${track()}`),
    };
  });
}

function pointOf(axis: Axis | undefined, row: Measured, score: Spread, budget: string): Point[] {
  const x = axis?.of(row);
  return x === undefined ? [] : [{ x: x.mean, y: score.mean, deviation: score.deviation ?? 0, budget }];
}

/** Where failed runs would about have been: among those of the same budget. */
function placeOf(axis: Axis | undefined, table: Table | undefined): number | undefined {
  const known = (table?.rows ?? []).flatMap((row) => axis?.of(row)?.mean ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, x) => sum + x, 0) / known.length;
}

interface Curve {
  readonly label: string;
  readonly isControl: boolean;
  readonly points: readonly Point[];
}

function optionOf(
  curves: readonly Curve[],
  marks: readonly { readonly name: string; readonly x: number | undefined }[],
  metric: string,
  axis: Axis | undefined,
  colours: Colours,
  widthPx: number,
) {
  const all = curves.flatMap(({ points }) => points);
  const lowest = Math.min(...all.map(({ y, deviation }) => y - deviation));
  const text = (value: number) => axis?.text(value) ?? String(value);
  const drawn = curves.map(({ label, isControl, points }) => ({
    label,
    isControl,
    ...(label === 'dense' ? { symbol: 'diamond' } : {}),
    points: points.map(({ budget, ...point }) => ({
      ...point,
      tip: `${budget}: ${metric} ${point.y.toFixed(2)}${point.deviation === 0 ? '' : ` ± ${point.deviation.toFixed(2)}`} at ${text(point.x)}`,
    })),
  }));
  return {
    ...scoreFrame(
      { name: axis?.name ?? '', text },
      metric,
      [...curves.map(({ label }) => label), ...(marks.length === 0 ? [] : ['failed'])],
      colours,
      widthPx,
    ),
    series: [
      ...scoreSeries(drawn, colours),
      ...(marks.length === 0
        ? []
        : [
            {
              type: 'scatter',
              name: 'failed',
              symbol: 'path://M1,0L5,4L9,0L10,1L6,5L10,9L9,10L5,6L1,10L0,9L4,5L0,1Z',
              symbolSize: 12,
              itemStyle: { color: colours.bad },
              data: marks
                .filter(({ x }) => x !== undefined)
                .map(({ name, x }) => ({ value: [x, lowest], tip: `${name} failed` })),
            },
          ]),
    ],
  };
}
