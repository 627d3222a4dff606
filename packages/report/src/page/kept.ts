import { percent } from '../numbers';
import type { KeptMap, PageData } from '../page-data';
import { type Colours, chart, described } from './chart';
import { choice, distinct, elementById } from './data';

/** One heat map for each contender: layers across, components down. */
export function drawKept({ kept }: PageData): void {
  if (kept.length === 0) {
    elementById('kept').hidden = true;
    return;
  }
  const controls = elementById('kept-controls');
  const maps = elementById('kept-maps');
  const draw = () => {
    maps.replaceChildren();
    const shown = kept.filter(
      (map) => map.workload === workload() && map.track === track() && map.budget === budget(),
    );
    for (const map of shown) {
      const figure = document.createElement('figure');
      figure.className = 'card';
      const caption = document.createElement('figcaption');
      caption.textContent = `${map.label} (${map.seeds} ${map.seeds === 1 ? 'seed' : 'seeds'})`;
      const element = document.createElement('div');
      element.className = 'chart';
      figure.append(caption, element);
      maps.append(figure);
      chart(element, (colours) => optionOf(map, colours));
    }
  };
  const workload = choice(controls, 'Workload', distinct(kept.map(({ workload }) => workload)), draw);
  const track = choice(controls, 'Track', distinct(kept.map(({ track }) => track)), draw);
  const budget = choice(controls, 'Budget', distinct(kept.map(({ budget }) => budget)), draw);
  draw();
}

function optionOf({ label, cells }: KeptMap, { ink, quiet, line, ground, isDark }: Colours) {
  const layers = distinct(cells.map(({ layer }) => layer)).sort((a, b) => a - b);
  const components = distinct(cells.map(({ component }) => component));
  return {
    ...described(`What ${label} kept of every layer`),
    animation: false,
    textStyle: { color: ink },
    grid: { left: 110, right: 12, top: 8, bottom: 64 },
    tooltip: {
      confine: true,
      backgroundColor: ground,
      borderColor: line,
      textStyle: { color: ink },
      formatter: ({ data }: { data: { value: readonly [number, number, number]; borrowed: number } }) => {
        const [layer, component, share] = data.value;
        const shared = data.borrowed === 0 ? '' : `, ${percent(data.borrowed)} borrowed`;
        return `layer ${layers[layer] ?? ''}, ${components[component] ?? ''}: ${percent(share)} kept${shared}`;
      },
    },
    xAxis: {
      type: 'category',
      name: 'layer',
      nameLocation: 'middle',
      nameGap: 22,
      data: layers.map(String),
      axisLabel: { color: quiet },
    },
    yAxis: {
      type: 'category',
      data: components,
      inverse: true,
      axisLabel: { color: quiet, width: 100, overflow: 'truncate' },
    },
    visualMap: {
      min: 0,
      max: 1,
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemWidth: 10,
      itemHeight: 90,
      text: ['all', 'none'],
      textStyle: { color: quiet },
      inRange: { color: isDark ? ['#1d2530', '#2f6ea3', '#9ad0ff'] : ['#f2f6fa', '#6aaed6', '#08519c'] },
    },
    series: [
      {
        type: 'heatmap',
        data: cells.map(({ layer, component, kept, borrowed }) => ({
          value: [layers.indexOf(layer), components.indexOf(component), Number(kept.toFixed(4))],
          borrowed,
        })),
        itemStyle: { borderColor: ground, borderWidth: 2 },
        label: {
          show: layers.length <= 12,
          fontSize: 11,
          formatter: ({ data }: { data: { value: readonly [number, number, number] } }) =>
            (100 * data.value[2]).toFixed(0),
        },
      },
    ],
  };
}
