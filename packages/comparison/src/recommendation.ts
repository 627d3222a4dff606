import { FEWEST_SEEDS, type PairedDifference } from './statistics';
import type { Comparison, DenseRow, Row, Table } from './table';

/** Points of percent within which a cheaper model that cannot be told apart is the better choice. */
const CLOSE_POINTS = 0.5;
/** Costs that are apart by less are the same: a latency has about as much noise. */
const SAME_COST = 1.05;

/** Another contender, seen from the one that is recommended. */
export interface Other {
  readonly row: Row;
  /** The paired difference of the scores, recommended − other; undefined where they share no seed. */
  readonly difference: PairedDifference | undefined;
  /** 1 when the recommended one is better beyond doubt, 0 when the two cannot be told apart; −1 only of runs that failed. */
  readonly verdict: Comparison['verdict'];
}

/** The contender to take of one workload at one budget, and what is known about it. */
export interface Recommendation extends Pick<Table, 'workload' | 'track' | 'budget' | 'metric'> {
  readonly row: Row;
  /** The model that it was made from. */
  readonly dense: DenseRow | undefined;
  /**
   * Whether it is better than every other one beyond doubt, cannot be told apart from some, has too few seeds for either, or
   * stands alone.
   */
  readonly evidence: 'decided' | 'tied' | 'few seeds' | 'alone';
  /** Why it is taken among those that cannot be told apart. */
  readonly preference: 'score' | 'cost';
  /** Those that cannot be told apart from it, by falling score. */
  readonly tied: readonly Other[];
  /** The best of those that are worse beyond doubt. */
  readonly next: Other | undefined;
  /** The small model from scratch, unless it is what is recommended. */
  readonly fromScratch: Other | undefined;
  /** The best one that is made from the dense model, where the small model from scratch is recommended. */
  readonly bestMade: Other | undefined;
}

/**
 * Says for each workload and budget which contender to take: the best mean of those that no other is better than beyond
 * doubt, or a cheaper one that cannot be told apart from it and is as good within half a point. Only smaller models count. Where
 * several tracks have a budget, the first has the say: differences are paired within a track.
 */
export function recommendationsOf(tables: readonly Table[], dense: readonly DenseRow[]): Recommendation[] {
  const found = new Map<string, Recommendation>();
  for (const table of tables) {
    const place = JSON.stringify([table.workload, table.budget]);
    if (found.has(place)) continue;
    const own = recommendationOf(
      table,
      dense.find(({ workload }) => workload === table.workload),
    );
    if (own !== undefined) found.set(place, own);
  }
  return [...found.values()];
}

function recommendationOf(table: Table, dense: DenseRow | undefined): Recommendation | undefined {
  const { workload, track, budget, metric, comparisons } = table;
  const candidates = table.rows.filter((row) => isSmaller(row, dense) && Number.isFinite(row.score.mean));
  const [first] = candidates;
  if (first === undefined) return undefined;
  const seen = (from: Row) =>
    candidates.filter((row) => row !== from).map((row) => otherOf(comparisons, from, row));
  const isUnbeaten = (row: Row) => seen(row).every(({ verdict }) => verdict >= 0);
  const unbeaten = candidates.filter(isUnbeaten);
  // With seeds that failed, each may be beaten by another one.
  const best = highest(unbeaten.length === 0 ? candidates : unbeaten) ?? first;
  const row = preferred(best, unbeaten, comparisons);
  const others = seen(row).sort((a, b) => b.row.score.mean - a.row.score.mean);
  const tied = others.filter(({ verdict }) => verdict === 0);
  return {
    ...{ workload, track, budget, metric, row, dense, tied },
    evidence: evidenceOf(row, others.length, tied.length),
    preference: row === best ? 'score' : 'cost',
    next: others.find(({ verdict }) => verdict > 0),
    fromScratch: others.find(({ row }) => row.startsAnew),
    bestMade: row.startsAnew ? others.find(({ row }) => !row.startsAnew) : undefined,
  };
}

/** Controls that remove nothing stand in every table, and are no choice. */
const isSmaller = (row: Row, dense: DenseRow | undefined): boolean =>
  dense === undefined || row.parameters.mean < dense.parameters.mean || row.bytes.mean < dense.bytes.mean;

function evidenceOf({ score }: Row, others: number, tied: number): Recommendation['evidence'] {
  if (others === 0) return 'alone';
  if (score.seeds < FEWEST_SEEDS) return 'few seeds';
  return tied === 0 ? 'decided' : 'tied';
}

function otherOf(comparisons: readonly Comparison[], from: Row, row: Row): Other {
  for (const { first, second, difference, verdict } of comparisons) {
    if (first === from.label && second === row.label) return { row, difference, verdict };
    if (first === row.label && second === from.label)
      return { row, difference: turned(difference), verdict: opposite(verdict) };
  }
  return { row, difference: undefined, verdict: 0 };
}

const turned = ({ seeds, mean, interval }: PairedDifference): PairedDifference => ({
  seeds,
  mean: -mean,
  interval: interval === null ? null : [-interval[1], -interval[0]],
});

function opposite(verdict: Comparison['verdict']): Comparison['verdict'] {
  if (verdict === 0) return 0;
  return verdict === 1 ? -1 : 1;
}

/** The cheapest of those that are as good as the best one, as far as three seeds can say. */
function preferred(best: Row, unbeaten: readonly Row[], comparisons: readonly Comparison[]): Row {
  if (best.score.seeds < FEWEST_SEEDS) return best;
  const equals = unbeaten.filter(
    (row) =>
      row === best ||
      (row.score.seeds >= FEWEST_SEEDS &&
        otherOf(comparisons, best, row).verdict === 0 &&
        best.score.mean - row.score.mean <= CLOSE_POINTS),
  );
  const least = Math.min(...equals.map(costOf));
  const isWorthIt = costOf(best) > SAME_COST * least;
  return isWorthIt ? (highest(equals.filter((row) => costOf(row) <= SAME_COST * least)) ?? best) : best;
}

/** The time of a forward pass of the largest batch that was measured, or the work of one where none was. */
const costOf = (row: Row): number => largestBatch(row)?.p50Ms.mean ?? row.macs.mean;

const highest = (rows: readonly Row[]): Row | undefined =>
  rows.reduce<Row | undefined>(
    (best, row) => (best === undefined || row.score.mean > best.score.mean ? row : best),
    undefined,
  );

type Measured = Row | DenseRow;

/** The latency of the largest batch; undefined before any was measured. */
export const largestBatch = ({ latencies }: Measured): Measured['latencies'][number] | undefined =>
  latencies.reduce<Measured['latencies'][number] | undefined>(
    (largest, each) => (largest === undefined || each.batchSize > largest.batchSize ? each : largest),
    undefined,
  );

/** The times that a model's file is smaller than that of the dense one. */
export const timesSmaller = (row: Measured, dense: DenseRow): number => dense.bytes.mean / row.bytes.mean;

/** The times that it is faster than the dense model, for a size of a batch; undefined where either was not measured. */
export function timesFaster(row: Measured, dense: DenseRow, batchSize: number): number | undefined {
  const of = ({ latencies }: Measured) => latencies.find((each) => each.batchSize === batchSize)?.p50Ms.mean;
  const [own, before] = [of(row), of(dense)];
  return own === undefined || before === undefined ? undefined : before / own;
}
