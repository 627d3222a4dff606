import type { Point } from './curve';

type Choices = readonly Point[];

/** Cells of cost that dynamic programming has at most. */
const CELLS = 1000;
/** The multiple of a site's widest step that sums of costs may stray from where they began. */
const STRAY = 4;
/** Sums of costs are rounded. */
const ROUNDING = 1e-9;

/** The cells that changes of cost are counted in. */
interface Cells {
  readonly size: number;
  /** The cost of each site that counts as 0. */
  readonly base: readonly number[];
  /** The distance from its base that a site may go. */
  readonly reach: number;
  /** Cells below and above the sum of all bases. */
  readonly below: number;
  readonly above: number;
}

/**
 * A choice within the budget of no more error than a given one: every site may move to any other point near its own, and the
 * changes of cost are counted in cells, upwards, so that the sum never exceeds the budget.
 * @param chosen Within the budget.
 */
export function closeGap(sites: readonly Choices[], chosen: readonly number[], budget: number): number[] {
  const own = chosen.map((index, site) => pointOf(sites, site, index));
  const cells = exactCells(sites, budget) ?? nearCells(sites, own, budget);
  const { size, base, reach, below, above } = cells;
  if (size === 0) return [...chosen];
  const width = below + above + 1;
  const cellsFrom = (site: number, cost: number): number =>
    Math.ceil((cost - (base[site] ?? 0)) / size - ROUNDING);
  // Of each sum of changes the least error so far, and the move that led to it.
  let errors = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  errors[below] = 0;
  const moves: Int32Array[] = [];
  sites.forEach((points, site) => {
    const next = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
    const move = new Int32Array(width).fill(-1);
    points.forEach(({ cost, error }, index) => {
      if (Math.abs(cost - (base[site] ?? 0)) > reach) return;
      const change = cellsFrom(site, cost);
      const end = Math.min(width, width - change);
      for (let from = Math.max(0, -change); from < end; from++) {
        const sum = (errors[from] ?? 0) + error;
        if (sum < (next[from + change] ?? 0)) {
          next[from + change] = sum;
          move[from + change] = index;
        }
      }
    });
    errors = next;
    moves.push(move);
  });
  // Of equal errors the one that spends most: it keeps units that the curve takes for nothing.
  let end = 0;
  for (let sum = 1; sum < width; sum++) if ((errors[sum] ?? 0) <= (errors[end] ?? 0)) end = sum;
  if (errors[end] === Number.POSITIVE_INFINITY) return [...chosen];
  const found = [...chosen];
  for (let site = sites.length - 1; site >= 0; site--) {
    const index = moves[site]?.[end] ?? -1;
    found[site] = index;
    end -= cellsFrom(site, pointOf(sites, site, index).cost);
  }
  return found;
}

/** Cells of which every cost is a whole number, from the cheapest points on; undefined where they are too many. */
function exactCells(sites: readonly Choices[], budget: number): Cells | undefined {
  const size = divisorOf(sites);
  if (size === undefined) return undefined;
  const base = sites.map((points) => Math.min(...points.map(({ cost }) => cost)));
  const most = sites.reduce((sum, points) => sum + Math.max(...points.map(({ cost }) => cost)), 0);
  const above = Math.floor((Math.min(budget, most) - sumOf(base)) / size + ROUNDING);
  return above <= CELLS ? { size, base, reach: Number.POSITIVE_INFINITY, below: 0, above } : undefined;
}

/** Cells around what is chosen already. */
function nearCells(sites: readonly Choices[], own: readonly Point[], budget: number): Cells {
  const base = own.map(({ cost }) => cost);
  // The widest step that brings a site to a few points nearby.
  const steps = sites.map((points, site) => {
    const distances = points
      .map(({ cost }) => Math.abs(cost - (base[site] ?? 0)))
      .filter((distance) => distance > 0)
      .sort((a, b) => a - b);
    return distances[Math.min(distances.length, NEIGHBOURS) - 1] ?? 0;
  });
  const stray = STRAY * Math.max(0, ...steps);
  const gap = Math.min(Math.max(budget - sumOf(base), 0), stray);
  const size = (stray + gap) / CELLS;
  return size === 0
    ? { size, base, reach: 0, below: 0, above: 0 }
    : { size, base, reach: stray, below: Math.floor(stray / size), above: Math.floor(gap / size + ROUNDING) };
}

const NEIGHBOURS = 4;

/** The greatest common divisor of all differences of costs, where they are whole numbers. */
function divisorOf(sites: readonly Choices[]): number | undefined {
  let divisor = 0;
  for (const points of sites) {
    const first = points[0]?.cost ?? 0;
    for (const { cost } of points) {
      if (!Number.isSafeInteger(cost)) return undefined;
      divisor = greatestCommon(divisor, Math.abs(cost - first));
    }
  }
  return divisor === 0 ? undefined : divisor;
}

function greatestCommon(a: number, b: number): number {
  let [large, small] = [a, b];
  while (small > 0) [large, small] = [small, large % small];
  return large;
}

function pointOf(sites: readonly Choices[], site: number, index: number): Point {
  const found = sites[site]?.[index];
  if (found === undefined) throw new RangeError(`site ${site} has no point ${index}`);
  return found;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
