/** The error of a site by the number of its units that are gone: e(0) = 0, then of one more each, up to all but one. */
export type ErrorCurve = readonly number[];

/** A point of a trade: an expense, and the error that it leaves. */
export interface Point {
  readonly cost: number;
  readonly error: number;
}

/**
 * The corners of the lower convex hull of some points, by their index, from the dearest to the cheapest: whatever a price of
 * cost, one of them is best. Points that another beats in both are none of them (Andrew's monotone chain, 1979).
 */
export function convexHull(points: readonly Point[]): number[] {
  const at = (index: number): Point => points[index] ?? { cost: Number.NaN, error: Number.NaN };
  const byCost = points
    .map((_, index) => index)
    .sort((a, b) => at(b).cost - at(a).cost || at(a).error - at(b).error || a - b);
  // From the point of least error on, the cheapest of several.
  const least = Math.min(...points.map(({ error }) => error));
  const first = byCost.findLastIndex((index) => at(index).error === least);
  const hull: number[] = [];
  for (const index of byCost.slice(Math.max(first, 0))) {
    const own = at(index);
    const last = hull.at(-1);
    if (last !== undefined && own.cost === at(last).cost) continue; // Its error is no less.
    while (hull.length > 1) {
      const [before, middle] = [at(hull.at(-2) ?? -1), at(hull.at(-1) ?? -1)];
      // A corner only where errors grow faster behind it than before it.
      const isCorner = slope(before, middle) < slope(middle, own);
      if (isCorner) break;
      hull.pop();
    }
    hull.push(index);
  }
  return hull;
}

/** The error that each unit of cost saved adds between two points. */
export const slope = (dear: Point, cheap: Point): number =>
  (cheap.error - dear.error) / (dear.cost - cheap.cost);

/** The least convex curve's increments below an error curve: what the k-th unit to go adds, which never falls. */
export function increments(errors: ErrorCurve): number[] {
  const points = errors.map((error, gone) => ({ cost: errors.length - gone, error }));
  const corners = convexHull(points);
  const first = corners[0] ?? 0;
  return errors.slice(1).map((_, gone) => {
    if (gone < first) return 0;
    const next = corners.findIndex((corner) => corner > gone);
    const [from, to] = [corners[next - 1] ?? 0, corners[next] ?? 0];
    return ((errors[to] ?? 0) - (errors[from] ?? 0)) / (to - from);
  });
}
