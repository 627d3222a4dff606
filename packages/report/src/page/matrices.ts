import type { ShareMatrix, SparsityPageData } from '../sparsity-data';
import { chart } from './chart';
import { elementById } from './data';
import { escaped } from './escaped';
import { type HeatMap, heatMapOption } from './heat-map';

/** One heat map for each matrix. */
export function drawMatrices({ matrices }: SparsityPageData): void {
  if (matrices.length === 0) return;
  const maps = elementById('share-maps');
  for (const matrix of matrices) {
    const figure = document.createElement('figure');
    figure.className = 'card';
    const caption = document.createElement('figcaption');
    caption.textContent = `${matrix.title}: ${matrix.note}`;
    const element = document.createElement('div');
    element.className = 'chart';
    figure.append(caption, element);
    maps.append(figure);
    chart(element, (colours) => heatMapOption(mapOf(matrix), colours));
  }
}

function mapOf({ title, rows, columns, shares, expected }: ShareMatrix): HeatMap {
  const all = shares.flatMap((row) => row.filter((share) => share !== null));
  return {
    description: title,
    rows,
    columns,
    columnsAre: '',
    range: [lowestOf(all), Math.max(1, ...all)],
    cells: shares.flatMap((row, place) =>
      row.flatMap((share, column) => {
        if (share === null) return [];
        const chance = expected?.[place]?.[column] ?? null;
        const beside = chance === null ? '' : `, by chance ${percentOf(chance)}`;
        const tip = escaped(`${rows[place] ?? ''}, ${columns[column] ?? ''}: ${percentOf(share)}${beside}`);
        return [{ row: place, column, share, tip }];
      }),
    ),
  };
}

const STEP = 0.05;

/** Where colours begin: shares that are all near 1 would look the same from 0 on. */
function lowestOf(shares: readonly number[]): number {
  const lowest = Math.min(...shares);
  return lowest > 0.5 ? Math.floor(lowest / STEP) * STEP : Math.min(0, lowest);
}

const percentOf = (share: number): string => `${(100 * share).toFixed(1)} %`;
