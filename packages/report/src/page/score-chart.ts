import type { Colours } from './chart';
import { errorBar } from './error-bar';
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

/** What all charts of scores have: legend, tips, and the axes with the score upwards. */
export const scoreFrame = (
  axis: { readonly name: string; text(value: number): string },
  metric: string,
  { palette, ink, quiet, line, ground }: Colours,
) => ({
  color: [...palette],
  textStyle: { color: ink },
  animation: false,
  legend: {
    type: 'scroll',
    bottom: 0,
    textStyle: { color: ink },
    pageTextStyle: { color: ink },
    pageIconColor: ink,
  },
  grid: { left: 56, right: 24, top: 28, bottom: 84 },
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
    axisLabel: { color: quiet, hideOverlap: true, formatter: (value: number) => axis.text(value) },
    axisLine: { lineStyle: { color: line } },
    splitLine: { lineStyle: { color: line } },
  },
  yAxis: {
    type: 'value',
    scale: true,
    name: metric,
    nameTextStyle: { color: quiet },
    axisLabel: { color: quiet },
    splitLine: { lineStyle: { color: line } },
  },
});

/** A line with error bars for each contender; controls are dashed. */
export const scoreSeries = (curves: readonly ScoreCurve[], { palette, ink }: Colours) =>
  curves.flatMap(({ label, isControl, symbol, points }, place) => {
    const color = palette[place % palette.length] ?? ink;
    return [
      {
        type: 'line',
        name: label,
        symbolSize: isControl ? 7 : 9,
        symbol: symbol ?? (isControl ? 'emptyCircle' : 'circle'),
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
