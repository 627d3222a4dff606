import { percent } from '../numbers';
import { trackWords } from '../sections/words';
import type { KeptMap, PageData } from '../page-data';
import { chart } from './chart';
import { choice, distinct, elementById } from './data';
import { escaped } from './escaped';
import { type HeatMap, heatMapOption } from './heat-map';

/** One heat map for each contender: layers across, components down. */
export function drawKept({ kept }: Pick<PageData, 'kept'>): void {
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
      chart(element, (colours) => heatMapOption(mapOf(map), colours));
    }
  };
  const workload = choice(controls, 'Workload', distinct(kept.map(({ workload }) => workload)), draw);
  const tracks = new Map(kept.map(({ track }) => [trackWords(track), track]));
  const trackNamed = choice(controls, 'Training', [...tracks.keys()], draw);
  const track = () => tracks.get(trackNamed());
  const budget = choice(controls, 'Budget', distinct(kept.map(({ budget }) => budget)), draw);
  draw();
}

function mapOf({ label, cells }: KeptMap): HeatMap {
  const layers = distinct(cells.map(({ layer }) => layer)).sort((a, b) => a - b);
  const components = distinct(cells.map(({ component }) => component));
  return {
    description: `What ${label} kept of every layer`,
    rows: components,
    columns: layers.map(String),
    columnsAre: 'layer',
    range: [0, 1],
    cells: cells.map(({ layer, component, kept, borrowed }) => {
      const shared = borrowed === 0 ? '' : `, ${percent(borrowed)} borrowed`;
      return {
        row: components.indexOf(component),
        column: layers.indexOf(layer),
        share: kept,
        tip: escaped(`layer ${layer}, ${component}: ${percent(kept)} kept${shared}`),
      };
    }),
  };
}
