import type { Colours } from './chart';
import { errorBar } from './error-bar';
import { type Fitted, fitted, rounded } from './axis';
import { escaped } from './escaped';

/** Scores of one contender; `deviation` is half the length of an error bar, 0 for none. */
export interface ScoreCurve {
  readonly label: string;
  readonly isControl: boolean;
  readonly symbol?: string;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly deviation: number;
    readonly tip: string;
  }[];
}

const LEGEND_LINE_PX = 24;

/** Points of percent that an axis of scores shows at least: half a point does not fill a chart. */
const LEAST_POINTS = 10;
export const fittedScores = (values: readonly number[]): Fitted =>
  fitted(values, { leastSpan: LEAST_POINTS, within: [0, 100] });

/** A legend that shows every name where its lines leave room for the chart, and can be turned over where they do not. */
function legendOf(labels: readonly string[], { ink }: Colours, widthPx: number) {
  const lengths = labels.map((label) => 48 + 7 * label.length);
  const lines = Math.ceil(lengths.reduce((sum, length) => sum + length, 0) / (0.9 * widthPx));
  return lines > 3
    ? { lines: 1, type: 'scroll', pageTextStyle: { color: ink }, pageIconColor: ink }
    : { lines, type: 'plain' };
}

/** Makes the frame of all charts of scores: legend, tips, and the axes with the score upwards. */
export function scoreFrame(
  axis: {
    readonly name: string;
    text(value: number): string;
    /** The part that is shown; all of it where none is given. */
    readonly fitted?: Fitted;
  },
  metric: { readonly name: string; readonly fitted: Fitted },
  labels: readonly string[],
  colours: Colours,
  widthPx: number,
) {
  const { palette, ink, quiet, line, ground } = colours;
  const { lines, ...legend } = legendOf(labels, colours, widthPx);
  return {
    color: [...palette],
    textStyle: { color: ink },
    animation: false,
    legend: { ...legend, bottom: 0, textStyle: { color: ink } },
    grid: { left: 56, right: 24, top: 28, bottom: 60 + lines * LEGEND_LINE_PX },
    tooltip: {
      backgroundColor: ground,
      borderColor: line,
      textStyle: { color: ink },
      confine: true,
      formatter: ({ seriesName, data }: { seriesName: string; data: { tip?: string } }) =>
        `<strong>${escaped(seriesName)}</strong><br>${escaped(data.tip ?? '')}`,
    },
    xAxis: {
      type: 'value',
      scale: true,
      name: axis.name,
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: { color: quiet },
      ...rangeOf(axis.fitted),
      axisLabel: {
        color: quiet,
        hideOverlap: true,
        formatter: (value: number) => axis.text(value),
        ...ticksOf(axis.fitted),
      },
      axisTick: ticksOf(axis.fitted),
      axisLine: { onZero: false, lineStyle: { color: line } },
      splitLine: { show: axis.fitted === undefined, lineStyle: { color: line } },
    },
    yAxis: {
      type: 'value',
      scale: true,
      name: metric.name,
      nameTextStyle: { color: quiet, align: 'left' },
      ...rangeOf(metric.fitted),
      axisLine: { show: false, onZero: false },
      interval: intervalOf(metric.fitted),
      axisLabel: { color: quiet, formatter: (value: number) => String(rounded(value)) },
      splitLine: { lineStyle: { color: line } },
    },
  };
}

const rangeOf = (fitted: Fitted | undefined) =>
  fitted === undefined ? {} : { min: fitted.min, max: fitted.max };

const ticksOf = (fitted: Fitted | undefined) =>
  fitted === undefined ? {} : { customValues: [...fitted.ticks] };

const intervalOf = ({ ticks: [first = 0, second = 1] }: Fitted): number => rounded(second - first);

/** Symbols of a curve's points, where its colour is not its own. */
const METHOD_SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'];
const CONTROL_SYMBOLS = ['emptyCircle', 'emptyRect', 'emptyTriangle', 'emptyDiamond'];

/** A line with error bars for each contender: methods have colours, controls are grey and dashed. */
export function scoreSeries(curves: readonly ScoreCurve[], { palette, ink, quiet }: Colours) {
  const methods = curves.filter(({ isControl }) => !isControl);
  const controls = curves.filter(({ isControl, symbol }) => isControl && symbol === undefined);
  const look = (curve: ScoreCurve) => {
    const place = (curve.isControl ? controls : methods).indexOf(curve);
    const symbols = curve.isControl ? CONTROL_SYMBOLS : METHOD_SYMBOLS;
    const round = curve.isControl ? place : Math.floor(place / palette.length);
    return {
      color: curve.isControl ? quiet : (palette[place % palette.length] ?? ink),
      symbol: symbols[round % symbols.length],
    };
  };
  return curves.flatMap((curve) => {
    const { label, isControl, points } = curve;
    const { color, symbol } = look(curve);
    return [
      {
        type: 'line',
        name: label,
        symbolSize: isControl ? 7 : 9,
        symbol: curve.symbol ?? symbol,
        lineStyle: { width: 2, type: isControl ? 'dashed' : 'solid' },
        itemStyle: { color },
        data: points.map(({ x, y, tip }) => ({ value: [x, y], tip })),
      },
      {
        type: 'custom',
        name: label,
        silent: true,
        z: 1,
        data: points
          .filter(({ deviation }) => deviation > 0)
          .map(({ x, y, deviation }) => [x, y - deviation, y + deviation]),
        encode: { x: 0, y: [1, 2] },
        renderItem: errorBar(color),
      },
    ];
  });
}
