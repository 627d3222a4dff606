const BASE = 10_000;
const EPSILON = 1e-6;

/**
 * Positions of a grid as waves, as MDETR and DETR make them (`PositionEmbeddingSine`, normalised): half of the width says the row,
 * the other half the column. Positions are 1 … n over (n + 10⁻⁶), times 2π; of each two features one is the sine and the other the
 * cosine of position / 10000^(2⌊i/2⌋ / (d/2)).
 * @param width d, a multiple of 4.
 * @returns [rows · columns, d], row by row.
 */
export function gridWaves(rows: number, columns: number, width: number): Float32Array {
  const half = width / 2;
  const wave = (place: number, count: number, feature: number): number => {
    const angle = ((place + 1) / (count + EPSILON)) * 2 * Math.PI;
    const phase = angle / BASE ** ((2 * Math.floor(feature / 2)) / half);
    return feature % 2 === 0 ? Math.sin(phase) : Math.cos(phase);
  };
  const waves = new Float32Array(rows * columns * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (row * columns + column) * width;
      for (let feature = 0; feature < half; feature++) {
        waves[at + feature] = wave(row, rows, feature);
        waves[at + half + feature] = wave(column, columns, feature);
      }
    }
  }
  return waves;
}
