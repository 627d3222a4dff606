import { dispose, gather, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { unitCuts } from '../decision/keep';
import type { Site } from '../sites/site';
import { unitsTap } from '../sites/taps';
import { removalOrderOf } from './removal-of-sums';
import { ridgeSolve } from '../operations/ridge-solve';
import type { ColumnMoments, JointMoments, ScatterMoments } from '../statistics/moments';
import { type AttentionMaps, attentionMapsOf } from './attention-maps';
import { trace } from '../algebra/matrix';
import { type RidgeSolution, correctionOf, isExplaining, ridgeOf } from './fit';
import { covarianceOf, fitStatisticsOf, hostMatrix } from './host';
import type { ChangingWeights } from './weights';

/** A site of which units go, with the map that reads them. */
export interface CutSite {
  readonly site: Site;
  /** Units of the dense site that stay; where bases are free, their number alone counts. */
  readonly kept: readonly number[];
  /** Path of the map that reads the units, and the tap of what goes into it. */
  readonly reader: string;
  readonly attention: AttentionMaps | undefined;
}

export const cutSite = (site: Site, kept: readonly number[]): CutSite => ({
  site,
  kept,
  reader: unitsTap(site),
  // Of heads that stay all dimensions do: there is nothing to choose within them.
  attention: site.whole === undefined ? attentionMapsOf(site) : undefined,
});

/** Errors of a site on the calibration examples, as E‖y − y'‖² of what its map adds: before its correction and after. */
export interface SiteErrors {
  readonly before: number;
  readonly after: number;
}

/** Corrects the map that reads a site by least squares. */
export async function correctReader(
  { reader }: Pick<CutSite, 'reader'>,
  moments: JointMoments,
  cut: ChangingWeights,
): Promise<SiteErrors> {
  const { statistics, variance } = await fitStatisticsOf(moments);
  const ridge = ridgeOf(statistics);
  const solution = isExplaining(statistics) ? await solvedBy(moments, statistics.count, ridge) : undefined;
  const { weight, bias, explained } = correctionOf(statistics, ridge, solution);
  cut.write(`${reader}.weight`, sum(await cut.read(`${reader}.weight`), weight));
  await shiftBias(reader, bias, cut);
  return { before: variance + lengthOf(statistics.targetMean), after: Math.max(0, variance - explained) };
}

/** Solves where the moments are. */
async function solvedBy(
  { scatter, cross }: JointMoments,
  rows: number,
  ridge: number,
): Promise<RidgeSolution> {
  const { solution, damping } = ridgeSolve({ sums: scatter, cross, scale: 1 / rows, ridge });
  try {
    const [share = 0] = await damping.data<'float32'>();
    return { weight: await hostMatrix(solution), damping: share };
  } finally {
    dispose([solution, damping]);
  }
}

/** Adds the mean of the errors of the map that reads a site to its bias. */
export async function correctBias(
  { reader }: Pick<CutSite, 'reader'>,
  { count, mean, squares }: ColumnMoments,
  cut: ChangingWeights,
): Promise<SiteErrors> {
  const [rows = Number.NaN] = await count.data<'float32'>();
  const shift = (await hostMatrix(mean)).values;
  const variance = (await hostMatrix(squares)).values.reduce((total, value) => total + value, 0) / rows;
  await shiftBias(reader, shift, cut);
  return { before: variance + lengthOf(shift), after: variance };
}

async function shiftBias(reader: string, shift: Float64Array, cut: ChangingWeights): Promise<void> {
  const bias = await cut.read(`${reader}.bias`);
  cut.write(`${reader}.bias`, sum(bias, { rows: 1, columns: bias.columns, values: shift }));
}

const lengthOf = (vector: Float64Array): number => vector.reduce((total, value) => total + value ** 2, 0);

type Summand = Awaited<ReturnType<ChangingWeights['read']>>;
const sum = (a: Summand, b: Summand): Summand => ({
  ...a,
  values: a.values.map((value, i) => value + (b.values[i] ?? 0)),
});

/** The units of a site that stay when as many go as were decided, one at a time by the error that the others leave. */
export async function chosenUnits(
  { site, kept, reader }: CutSite,
  moments: ScatterMoments,
  dense: ChangingWeights,
): Promise<number[]> {
  const { covariance, count } = await covarianceOf(moments);
  if (trace(covariance) === 0) return [...kept]; // Of units that never change none is better than another.
  const damped = { sums: moments.scatter, scale: 1 / count, ridge: ridgeOf({ covariance, count }) };
  const { removed } = removalOrderOf(damped, await dense.read(`${reader}.weight`), {
    count: site.units - kept.length,
  });
  const gone = new Set(removed);
  return Array.from({ length: site.units }, (_, unit) => unit).filter((unit) => !gone.has(unit));
}

/** Cuts a site's parameters of the dense model anew. */
export function recut(
  { site }: CutSite,
  kept: readonly number[],
  dense: ChangingWeights,
  cut: ChangingWeights,
): void {
  for (const [path, { axis, indices }] of unitCuts(site, kept)) {
    if (dense.has(path)) {
      cut.put(
        path,
        tidy(() => gather(dense.leaf(path), tensor1d([...indices], 'int32'), axis)),
      );
    }
  }
}
