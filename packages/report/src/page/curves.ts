import type { DenseRow, Row, Spread, Table } from '@winnow/comparison';
import { count, milliseconds } from '../numbers';
import type { PageData } from '../page-data';
import { metricWords, trackWords } from '../sections/words';
import { fittedRatios } from './axis';
import { type Colours, chart, described } from './chart';
import { choice, distinct, elementById } from './data';
import { fittedScores, scoreFrame, scoreSeries } from './score-chart';

type Measured = Row | DenseRow;

/** The cost of a model, or its saving: the further to the right, the more. */
interface Axis {
  readonly name: string;
  /** Undefined where it was not measured. */
  of(row: Measured, dense: DenseRow | undefined): number | undefined;
  text(value: number): string;
}

const latency =
  (batchSize: number, quantile: 'p50Ms' | 'p95Ms') =>
  (row: Measured): number | undefined =>
    row.latencies.find((each) => each.batchSize === batchSize)?.[quantile].mean;

/** The dense model's cost in a model's own. */
const ratio =
  (costOf: (row: Measured) => number | undefined) =>
  (row: Measured, dense: DenseRow | undefined): number | undefined => {
    const [own, before] = [costOf(row), dense === undefined ? undefined : costOf(dense)];
    return own === undefined || before === undefined ? undefined : before / own;
  };

/** 2.00 → `2×`. */
const timesText = (value: number): string => `${Number(value.toPrecision(3))}×`;

const axes: readonly Axis[] = [
  { name: '× smaller', of: ratio(({ bytes }) => bytes.mean), text: timesText },
  { name: '× faster, 32 at a time', of: ratio(latency(32, 'p50Ms')), text: timesText },
  { name: '× faster, one at a time', of: ratio(latency(1, 'p50Ms')), text: timesText },
  { name: 'Parameters', of: ({ parameters }) => parameters.mean, text: count },
  { name: 'MACs', of: ({ macs }) => macs.mean, text: count },
  { name: 'Bytes', of: ({ bytes }) => bytes.mean, text: (value) => `${count(value)}B` },
  { name: 'Latency p50, batch 1', of: latency(1, 'p50Ms'), text: milliseconds },
  { name: 'Latency p95, batch 1', of: latency(1, 'p95Ms'), text: milliseconds },
  { name: 'Latency p50, batch 32', of: latency(32, 'p50Ms'), text: milliseconds },
  { name: 'Latency p95, batch 32', of: latency(32, 'p95Ms'), text: milliseconds },
  { name: 'Training compute spent', of: ({ trainingMacs }) => trainingMacs.mean, text: count },
];
/** The greatest of the costs that are shown is at least so many times the least. */
const LEAST_RATIO = 1.5;

/** When scores are measured. */
const moments = {
  'after all training': (row: Measured) => row.score,
  'after one epoch': (row: Measured) =>
    'afterOneEpoch' in row ? (row.afterOneEpoch ?? undefined) : row.score,
  'right after the cut': (row: Measured) => ('cut' in row ? row.cut : row.score),
} as const satisfies Readonly<Record<string, (row: Measured) => Spread | undefined>>;

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
  const denseOf = (name: string) => dense.find(({ workload }) => workload === name);
  const redraw = () => {
    drawn?.draw();
  };
  const workload = choice(controls, 'Workload', distinct(tables.map(({ workload }) => workload)), redraw);
  const tracks = new Map(tables.map(({ track }) => [trackWords(track), track]));
  const trackNamed = choice(controls, 'Training', [...tracks.keys()], redraw);
  const track = () => tracks.get(trackNamed());
  const measured = axes.filter((axis) =>
    tables.some(({ rows, workload }) => rows.some((row) => axis.of(row, denseOf(workload)) !== undefined)),
  );
  const cost = choice(
    controls,
    'Against',
    measured.map(({ name }) => name),
    redraw,
  );
  const moment = choice(controls, 'Score', momentsOf(tables), redraw);
  const drawn = chart(elementById('curve'), (colours, widthPx) => {
    const axis = axes.find(({ name }) => name === cost()) ?? axes[0];
    const shown = tables.filter((table) => table.workload === workload() && table.track === track());
    const models = dense.filter((row) => row.workload === workload());
    const lost = failures.flatMap(({ point }) =>
      point !== undefined && point.workload === workload() && point.track === track() ? [point] : [],
    );
    const metric = shown[0]?.metric ?? models[0]?.metric ?? '';
    const scoreOf = moments[moment()];
    const of = (row: Measured) => axis?.of(row, models[0]);
    const kind = (label: string) =>
      shown.some(({ rows }) => rows.some((row) => row.label === label && row.isControl));
    const labels = distinct(shown.flatMap(({ rows }) => rows.map(({ label }) => label)));
    const curves = [
      {
        label: FULL_MODEL,
        isControl: true,
        points: models.flatMap((row) => pointOf(of(row), scoreOf(row), 'full model')),
      },
      ...labels.map((label) => ({
        label,
        isControl: kind(label),
        points: shown
          .flatMap(({ rows, budget }) =>
            rows
              .filter((row) => row.label === label)
              .flatMap((row) => pointOf(of(row), scoreOf(row), budget)),
          )
          .sort((a, b) => a.x - b.x),
      })),
    ];
    const marks = distinct(lost.map(({ label, budget }) => `${label}, ${budget}`)).map((name) => {
      const budget = name.slice(name.lastIndexOf(', ') + 2);
      return {
        name,
        x: placeOf(shown.find((table) => table.budget === budget)?.rows.flatMap((row) => of(row) ?? [])),
      };
    });
    return {
      ...optionOf(curves, marks, metric, axis, colours, widthPx),
      ...described(
        `${metricWords(metric)} ${moment()} against ${axis?.name ?? ''} of ${workload()}, ${trackNamed()}`,
      ),
    };
  });
}

const FULL_MODEL = 'full model';

/** Those that some row has. */
const momentsOf = (tables: readonly Table[]) =>
  (['after all training', 'after one epoch', 'right after the cut'] as const).filter((moment) =>
    tables.some(({ rows }) => rows.some((row) => moments[moment](row) !== undefined)),
  );

function pointOf(x: number | undefined, score: Spread | undefined, budget: string): Point[] {
  return x === undefined || score === undefined
    ? []
    : [{ x, y: score.mean, deviation: score.deviation ?? 0, budget }];
}

/** Where failed runs would about have been: among those of the same budget. */
const placeOf = (known: readonly number[] = []): number | undefined =>
  known.length === 0 ? undefined : known.reduce((sum, x) => sum + x, 0) / known.length;

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
  const scores = fittedScores(all.flatMap(({ y, deviation }) => [y - deviation, y + deviation]));
  const text = (value: number) => axis?.text(value) ?? String(value);
  const costs = fittedRatios([...all.map(({ x }) => x), ...marks.flatMap(({ x }) => x ?? [])], LEAST_RATIO);
  const drawn = curves.map(({ label, isControl, points }) => ({
    label,
    isControl,
    ...(label === FULL_MODEL ? { symbol: 'diamond' } : {}),
    points: points.map(({ budget, ...point }) => ({
      ...point,
      x: Math.log10(point.x),
      tip: `${budget}: ${metricWords(metric)} ${point.y.toFixed(2)}${point.deviation === 0 ? '' : ` ± ${point.deviation.toFixed(2)}`} at ${text(point.x)}`,
    })),
  }));
  return {
    ...scoreFrame(
      { name: axis?.name ?? '', text: (log) => text(10 ** log), fitted: costs },
      { name: metricWords(metric), fitted: scores },
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
              data: marks.flatMap(({ name, x }) =>
                x === undefined ? [] : [{ value: [Math.log10(x), scores.min], tip: `${name} failed` }],
              ),
            },
          ]),
    ],
  };
}
