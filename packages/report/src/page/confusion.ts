import type { ConfusionMatrix } from '../class-results';
import type { RunPageData } from '../run-data';
import { chart } from './chart';
import { elementById } from './data';
import { escaped } from './escaped';
import { type HeatMap, heatMapOption } from './heat-map';

/** One map for each model: classes down, what they are taken for across. */
export function drawConfusion({ classes }: Pick<RunPageData, 'classes'>): void {
  if (classes === null) return;
  const maps = elementById('confusion-maps');
  const { names, before, after } = classes.matrix;
  for (const [title, counts] of [
    [after === null ? 'the model' : 'full model', before],
    ['smaller model', after],
  ] as const) {
    if (counts === null || names.length === 0) continue;
    const figure = document.createElement('figure');
    figure.className = 'card';
    const caption = document.createElement('figcaption');
    caption.textContent = title;
    const element = document.createElement('div');
    element.className = 'chart';
    figure.append(caption, element);
    maps.append(figure);
    chart(element, (colours) => heatMapOption(mapOf(title, names, counts), colours));
  }
}

function mapOf(title: string, names: ConfusionMatrix['names'], counts: ConfusionMatrix['before']): HeatMap {
  return {
    description: `Classes and what they are taken for by the ${title}`,
    rows: names,
    columns: names,
    columnsAre: '',
    range: [0, 1],
    cells: counts.flatMap((row, place) => {
      const all = row.reduce((sum, number) => sum + number, 0);
      return row.map((number, column) => ({
        row: place,
        column,
        share: all === 0 ? 0 : number / all,
        tip: escaped(`${names[place] ?? ''}, taken for ${names[column] ?? ''}: ${number}`),
      }));
    }),
  };
}
