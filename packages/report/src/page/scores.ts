import type { SparsityChart, SparsityPageData } from '../sparsity-data';
import { percent, spreadText } from '../numbers';
import { type Colours, chart, described } from './chart';
import { choice, elementById } from './data';
import { fittedScores, scoreFrame, scoreSeries } from './score-chart';

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
  const drawn = chart(elementById('score-chart'), (colours, widthPx) =>
    optionOf(charts.find(({ onto }) => onto === shown()) ?? first, colours, widthPx),
  );
}

function optionOf({ onto, metric, dense, bar, curves }: SparsityChart, colours: Colours, widthPx: number) {
  const { quiet } = colours;
  const levels = { dense: 'dense', bar: '99 % of the dense' };
  const labels = [...Object.values(levels), ...curves.map(({ label }) => label)];
  const reach = [0, Math.max(...curves.flatMap(({ points }) => points.map(({ sparsity }) => sparsity)))];
  const level = (name: string, score: number, type: 'dotted' | 'solid') => ({
    type: 'line',
    name,
    symbol: 'none',
    lineStyle: { width: 1.5, type, color: quiet },
    itemStyle: { color: quiet },
    data: reach.map((x) => ({ value: [x, score], tip: score.toFixed(2) })),
  });
  const drawn = curves.map(({ label, isControl, points }) => ({
    label,
    isControl,
    points: points.map((point) => ({
      x: point.sparsity,
      y: point.mean,
      deviation: point.deviation ?? 0,
      tip: `${percent(point.sparsity)}: ${metric} ${spreadText(point)}`,
    })),
  }));
  const reached = drawn.flatMap(({ points }) =>
    points.flatMap(({ y, deviation }) => [y - deviation, y + deviation]),
  );
  return {
    ...described(`${metric} on ${onto} by sparsity`),
    ...scoreFrame(
      { name: 'sparsity', text: percent },
      { name: metric, fitted: fittedScores([dense, bar, ...reached]) },
      labels,
      colours,
      widthPx,
    ),
    series: [
      level(levels.dense, dense, 'solid'),
      level(levels.bar, bar, 'dotted'),
      ...scoreSeries(drawn, colours),
    ],
  };
}
