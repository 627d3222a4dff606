import {
  type Tensor2D,
  type Tensor3D,
  concat,
  gather,
  reshape,
  sum,
  tensor1d,
  zeros,
} from '@tensorflow/tfjs-core';
import { differentiable } from './kernel';

/** Rows and columns of a grid. */
type Sides = readonly [rows: number, columns: number];

/** Cells of a neighbourhood of 3×3. */
export const NEIGHBOURS = 9;

/** The number of the cell that stands so far from another one, or `outside` beyond the border. */
function cellAt([rows, columns]: Sides, cell: number, down: number, across: number, outside: number): number {
  const [row, column] = [Math.floor(cell / columns) + down, (cell % columns) + across];
  return row < 0 || row >= rows || column < 0 || column >= columns ? outside : row * columns + column;
}

/** For each cell and each of its neighbours, row by row, a number that `at` makes of cell, neighbour and both distances. */
const forNeighbours = (
  [rows, columns]: Sides,
  at: (cell: number, neighbour: number, down: number, across: number) => number,
): Int32Array =>
  Int32Array.from({ length: rows * columns * NEIGHBOURS }, (_, index) => {
    const neighbour = index % NEIGHBOURS;
    return at(Math.floor(index / NEIGHBOURS), neighbour, Math.floor(neighbour / 3) - 1, (neighbour % 3) - 1);
  });

/** Rows of each sequence [B, M, C] by their numbers, of which M itself is a row of zeros: [B, K, C]. */
const rowsOrZeros = (x: Tensor3D, numbers: Int32Array): Tensor3D => {
  const [batch, , C] = x.shape;
  return gather(concat<Tensor3D>([x, zeros([batch, 1, C])], 1), tensor1d(numbers, 'int32'), 1);
};

/**
 * The 3×3 neighbourhood of each cell of grids, row by row, with zeros beyond the border: x [B·H·W, C] → [B·H·W, 9·C]. A linear map
 * of it is a convolution of 3×3 with a border of one.
 */
export function neighbourhoods(x: Tensor2D, grid: Sides): Tensor2D {
  const [all, C] = x.shape;
  const cells = grid[0] * grid[1];
  const batch = all / cells;
  return differentiable(
    [x],
    () => {
      const numbers = forNeighbours(grid, (cell, _, down, across) => cellAt(grid, cell, down, across, cells));
      const near = rowsOrZeros(reshape(x, [batch, cells, C]), numbers); // [B, H·W·9, C]
      return { value: reshape(near, [all, NEIGHBOURS * C]), saved: [] };
    },
    (dy) => {
      // The cell that has this one as its neighbour lies the other way.
      const numbers = forNeighbours(grid, (cell, neighbour, down, across) => {
        const other = cellAt(grid, cell, -down, -across, cells);
        return other === cells ? cells * NEIGHBOURS : other * NEIGHBOURS + neighbour;
      });
      const parts = rowsOrZeros(reshape(dy, [batch, cells * NEIGHBOURS, C]), numbers);
      return [reshape(sum(reshape(parts, [all, NEIGHBOURS, C]), 1), [all, C])];
    },
  );
}
