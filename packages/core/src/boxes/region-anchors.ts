/** A grid of regions over a picture. */
interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** Pixels from one region to the next. */
  readonly stride: number;
}

/** Squares that objects are told from, grid by grid. */
export interface RegionAnchors {
  /** Left, top, right and bottom in pixels, row by row, [N, 4]. */
  readonly boxes: Float64Array;
  /** Regions of each grid. */
  readonly levels: readonly number[];
}

/**
 * One square around the middle of each region, as GLIP and ATSS have them.
 * @param scale Sides of the squares, in strides.
 */
export const regionAnchors = (grids: readonly Grid[], scale: number): RegionAnchors => ({
  levels: grids.map(({ rows, columns }) => rows * columns),
  boxes: Float64Array.from(
    grids.flatMap(({ rows, columns, stride }) =>
      Array.from({ length: rows * columns }, (_, cell) => {
        const [x, y] = [((cell % columns) + 0.5) * stride, (Math.floor(cell / columns) + 0.5) * stride];
        const half = (scale * stride) / 2;
        return [x - half, y - half, x + half, y + half];
      }).flat(),
    ),
  ),
});
