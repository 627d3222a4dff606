import {
  type Tensor1D,
  type Tensor,
  abs,
  add,
  cast,
  greater,
  mul,
  reshape,
  sum,
  zeros,
} from '@tensorflow/tfjs-core';
import {
  type ColumnMoments,
  type CompressionRun,
  type SeenTensor,
  type Site,
  columnMoments,
  columnsOf,
  disposeTree,
  lendTree,
  unitsTap,
  withRows,
} from '@winnow/core';

/** One column of a site, a unit or one of its copies in a head, as it is read; over all tokens that count. */
export interface Activity {
  readonly variance: number;
  /** E[h²] */
  readonly energy: number;
  /** P(|h| > 0.001) */
  readonly activeShare: number;
}

type Seen = { moments: ColumnMoments; active: Tensor1D };

/** Where a unit counts as active: far above what rounding leaves of a zero. */
const ACTIVE = 1e-3;

/** The columns of every site, [copies · units] by its identifier, as some examples show them: one charged forward pass. */
export async function activityOf(
  run: CompressionRun,
  examples: number,
): Promise<ReadonlyMap<string, readonly Activity[]>> {
  const { sites } = run.model;
  const nothing: Record<string, Seen> = Object.fromEntries(
    sites.map((site) => [
      site.id,
      { moments: columnMoments(columnsOf(site)), active: zeros([columnsOf(site)]) },
    ]),
  );
  const seen = await lendTree(nothing, (state) =>
    run.observe('activations', {
      examples,
      at: sites.map(unitsTap),
      state,
      onBatch: ({ at }, before) =>
        Object.fromEntries(
          sites.map((site) => [site.id, at(unitsTap(site)).reduce(withActivity, seenOf(before, site))]),
        ),
    }),
  );
  const found = new Map(sites.map((site) => [site.id, activitiesOf(seenOf(seen, site))]));
  disposeTree(seen);
  return found;
}

function seenOf(seen: Readonly<Record<string, Seen>>, { id }: Site): Seen {
  const found = seen[id];
  if (found === undefined) throw new RangeError(`nothing was seen of ${id}`);
  return found;
}

function withActivity({ moments, active }: Seen, rows: SeenTensor): Seen {
  const passed = cast<Tensor>(greater(abs(rows.values), ACTIVE), 'float32'); // [N, copies · units]
  const counted = rows.counted === undefined ? passed : mul(passed, reshape(rows.counted, [-1, 1]));
  return { moments: withRows(moments, rows), active: add(active, sum<Tensor1D>(counted, 0)) };
}

function activitiesOf({ moments, active }: Seen): Activity[] {
  const [count = 0] = moments.count.dataSync<'float32'>();
  const [means, squares, times] = [moments.mean, moments.squares, active].map((leaf) =>
    leaf.dataSync<'float32'>(),
  );
  return Array.from(means ?? [], (mean, column) => {
    const variance = (squares?.[column] ?? 0) / count;
    return { variance, energy: variance + mean ** 2, activeShare: (times?.[column] ?? 0) / count };
  });
}
