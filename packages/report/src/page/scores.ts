import type { SparsityChart, SparsityPageData } from '../sparsity-data';
import { percent, spreadText } from '../numbers';
import { type Colours, chart, described } from './chart';
import { choice, elementById } from './data';
import { errorBar } from './error-bar';
import { escaped } from './escaped';

/** Scores by sparsity: one curve for each ticket or control, with the score of a relaxed winning ticket. */
export function drawScores({ charts }: SparsityPageData): void {
  const [first] = charts;
  if (first === undefined) return;
  const shown = choice(
    elementById('score-controls'),
    'Task',
    charts.map(({ onto }) => onto),
    () => {
      drawn.draw();
    },
  );
  const drawn = chart(elementById('score-chart'), (colours) => {
    return optionOf(charts.find(({ onto }) => onto === shown()) ?? first, colours);
  });
}

function optionOf(
  { onto, metric, dense, bar, curves }: SparsityChart,
  { palette, ink, quiet, line, ground }: Colours,
) {
  const reach = [0, Math.max(...curves.flatMap(({ points }) => points.map(({ sparsity }) => sparsity)))];
  const level = (name: string, score: number, type: 'dotted' | 'solid') => ({
    type: 'line',
    name,
    symbol: 'none',
    lineStyle: { width: 1.5, type, color: quiet },
    itemStyle: { color: quiet },
    data: reach.map((x) => ({ value: [x, score], tip: score.toFixed(2) })),
  });
  return {
    ...described(`${metric} on ${onto} by sparsity`),
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
      name: 'sparsity',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: { color: quiet },
      axisLabel: { color: quiet, formatter: (value: number) => percent(value) },
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
    series: [
      level('dense', dense, 'solid'),
      level('99 % of the dense', bar, 'dotted'),
      ...curves.flatMap(({ label, isControl, points }, place) => {
        const color = palette[place % palette.length] ?? ink;
        return [
          {
            type: 'line',
            name: label,
            symbolSize: isControl ? 7 : 9,
            symbol: isControl ? 'emptyCircle' : 'circle',
            lineStyle: { width: 2, type: isControl ? 'dashed' : 'solid' },
            itemStyle: { color },
            data: points.map((point) => ({
              value: [point.sparsity, point.mean],
              tip: `${percent(point.sparsity)}: ${metric} ${spreadText(point)}`,
            })),
          },
          {
            type: 'custom',
            name: label,
            silent: true,
            z: 1,
            data: points.flatMap(({ sparsity, mean, deviation }) =>
              deviation === null ? [] : [[sparsity, mean - deviation, mean + deviation]],
            ),
            encode: { x: 0, y: [1, 2] },
            renderItem: errorBar(color),
          },
        ];
      }),
    ],
  };
}
