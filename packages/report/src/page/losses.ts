import type { RunPageData } from '../run-data';
import { fitted, rounded } from './axis';
import { type Colours, chart, described } from './chart';
import { choice, elementById } from './data';

/** The loss of a phase by its steps. */
export function drawLosses({ losses }: Pick<RunPageData, 'losses'>): void {
  const [first] = losses;
  if (first === undefined) return;
  const shown = choice(
    elementById('loss-controls'),
    'Phase',
    losses.map(({ phase }) => phase),
    () => {
      drawn.draw();
    },
  );
  const drawn = chart(elementById('loss'), (colours) =>
    optionOf(losses.find(({ phase }) => phase === shown()) ?? first, colours),
  );
}

function optionOf(
  { phase, points }: RunPageData['losses'][number],
  { palette, ink, quiet, line, ground }: Colours,
) {
  const { min, max, ticks } = fitted(
    points.map(([, loss]) => loss),
    { leastSpan: 0.1 },
  );
  const [low = 0, next = 1] = ticks;
  return {
    ...described(`Loss of ${phase} by step`),
    color: [...palette],
    textStyle: { color: ink },
    animation: false,
    grid: { left: 56, right: 24, top: 28, bottom: 48 },
    tooltip: {
      trigger: 'axis',
      backgroundColor: ground,
      borderColor: line,
      textStyle: { color: ink },
      confine: true,
      valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toPrecision(4) : ''),
    },
    xAxis: {
      type: 'value',
      name: 'step',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: { color: quiet },
      min: 'dataMin',
      max: 'dataMax',
      axisLabel: { color: quiet, hideOverlap: true },
      axisLine: { onZero: false, lineStyle: { color: line } },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      name: 'loss',
      nameTextStyle: { color: quiet, align: 'left' },
      min,
      max,
      interval: rounded(next - low),
      axisLabel: { color: quiet, formatter: (value: number) => String(rounded(value)) },
      splitLine: { lineStyle: { color: line } },
    },
    series: [
      {
        type: 'line',
        name: phase,
        showSymbol: points.length === 1,
        data: points.map(([step, loss]) => [step, loss]),
      },
    ],
  };
}
