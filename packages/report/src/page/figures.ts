import type { PageData } from '../page-data';
import { type Colours, chart, described } from './chart';
import { choice, elementById } from './data';
import { type Figure, figuresOf } from './figure';

/** Draws what methods found, by the shape of the data: nothing here knows a method. */
export function drawFigures({ figures }: Pick<PageData, 'figures'>): void {
  if (figures.length === 0) return;
  const list = elementById('figure-list');
  const draw = () => {
    list.replaceChildren();
    const found = figures.find(({ title }) => title === shown());
    for (const figure of found === undefined ? [] : figuresOf(found.findings)) {
      const frame = document.createElement('figure');
      frame.className = 'card';
      const caption = document.createElement('figcaption');
      caption.textContent = figure.title;
      const element = document.createElement('div');
      element.className = 'chart';
      frame.append(caption, element);
      list.append(frame);
      chart(element, (colours) => optionOf(figure, colours));
    }
  };
  const shown = choice(
    elementById('figure-controls'),
    'Run',
    figures.map(({ title }) => title),
    draw,
  );
  draw();
}

/** Most characters that fit under an axis in one line; longer names are written aslant, for which they need height. */
const LINE_CHARACTERS = 120;

function optionOf({ title, kind, places, series }: Figure, { palette, ink, quiet, line, ground }: Colours) {
  const isAslant = places.join(' ').length > LINE_CHARACTERS;
  return {
    ...described(title),
    animation: false,
    color: [...palette],
    textStyle: { color: ink },
    legend: { type: 'scroll', top: 0, textStyle: { color: ink } },
    grid: { left: 64, right: 16, top: 40, bottom: isAslant ? 110 : 32 },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: ground,
      borderColor: line,
      textStyle: { color: ink },
    },
    xAxis: {
      type: 'category',
      data: [...places],
      axisLabel: { color: quiet, rotate: isAslant ? 45 : 0, hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      scale: kind === 'line',
      axisLabel: { color: quiet },
      splitLine: { lineStyle: { color: line } },
    },
    series: series.map(({ name, values }) => ({ type: kind, name, data: [...values] })),
  };
}
