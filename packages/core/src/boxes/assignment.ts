/**
 * Gives each row or each column, of whichever there are fewer, one of the others, no two the same, so that the costs add up to the
 * least: the linear sum assignment problem, by shortest augmenting paths (Crouse, 2016, as in SciPy's `linear_sum_assignment`).
 * @param costs [rows, columns], finite.
 * @returns the column of each row, −1 for a row without one.
 * @throws {RangeError} when there are not that many costs, or one is not finite.
 */
export function assignment(costs: ArrayLike<number>, rows: number, columns: number): Int32Array {
  if (costs.length !== rows * columns)
    throw new RangeError(`expected ${rows * columns} costs, got ${costs.length}`);
  for (const cost of Array.from(costs)) {
    if (!Number.isFinite(cost)) throw new RangeError(`expected finite costs, got ${cost}`);
  }
  if (rows <= columns) return assigned((row, column) => costs[row * columns + column] ?? 0, rows, columns);
  const ofColumns = assigned((column, row) => costs[row * columns + column] ?? 0, columns, rows);
  const ofRows = new Int32Array(rows).fill(-1);
  ofColumns.forEach((row, column) => (ofRows[row] = column));
  return ofRows;
}

/** The same with no more rows than columns: every row gets one. */
function assigned(cost: (row: number, column: number) => number, rows: number, columns: number): Int32Array {
  const [rowPrice, columnPrice] = [new Float64Array(rows), new Float64Array(columns)];
  const ofRow = new Int32Array(rows).fill(-1);
  const ofColumn = new Int32Array(columns).fill(-1);
  const before = new Int32Array(columns);
  const least = new Float64Array(columns);
  for (let start = 0; start < rows; start++) {
    least.fill(Infinity);
    const seen = new Uint8Array(columns);
    const rowsSeen: number[] = [];
    let [row, distance, end] = [start, 0, -1];
    while (end < 0) {
      rowsSeen.push(row);
      let nearest = -1;
      for (let column = 0; column < columns; column++) {
        if (seen[column] === 1) continue;
        const reduced = distance + cost(row, column) - (rowPrice[row] ?? 0) - (columnPrice[column] ?? 0);
        if (reduced < (least[column] ?? Infinity)) {
          least[column] = reduced;
          before[column] = row;
        }
        const own = least[column] ?? Infinity;
        const best = nearest < 0 ? Infinity : (least[nearest] ?? Infinity);
        // Of equally near ones, one that is free ends the path.
        if (own < best || (own === best && nearest >= 0 && ofColumn[column] === -1)) nearest = column;
      }
      distance = least[nearest] ?? 0;
      seen[nearest] = 1;
      if (ofColumn[nearest] === -1) end = nearest;
      else row = ofColumn[nearest] ?? 0;
    }
    rowPrice[start] = (rowPrice[start] ?? 0) + distance;
    for (const other of rowsSeen) {
      const column = ofRow[other] ?? -1;
      if (other !== start) rowPrice[other] = (rowPrice[other] ?? 0) + distance - (least[column] ?? 0);
    }
    for (let column = 0; column < columns; column++) {
      if (seen[column] === 1)
        columnPrice[column] = (columnPrice[column] ?? 0) - distance + (least[column] ?? 0);
    }
    while (end >= 0) {
      const owner = before[end] ?? 0;
      ofColumn[end] = owner;
      const next = ofRow[owner] ?? -1;
      ofRow[owner] = end;
      end = owner === start ? -1 : next;
    }
  }
  return ofRow;
}
