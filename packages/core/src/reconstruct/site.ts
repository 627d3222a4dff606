import { gather, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { unitCuts } from '../decision/keep';
import type { Site } from '../sites/site';
import { unitsTap } from '../sites/taps';
import type { JointMoments, ScatterMoments } from '../statistics/moments';
import { type AttentionMaps, attentionMapsOf } from './attention-maps';
import { trace } from '../algebra/matrix';
import { correctionOf, errorAfter, ridgeOf, ridged } from './fit';
import { covarianceOf, fitStatisticsOf } from './host';
import { removalOrder } from './removal';
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

/** Corrects the map that reads a site by least squares, or its bias alone. */
export async function correctReader(
  { reader }: Pick<CutSite, 'reader'>,
  moments: JointMoments,
  what: 'map' | 'bias',
  cut: ChangingWeights,
): Promise<SiteErrors> {
  const { statistics, variance } = await fitStatisticsOf(moments);
  const ridge = what === 'bias' ? Number.POSITIVE_INFINITY : ridgeOf(statistics);
  const correction = correctionOf(statistics, ridge);
  if (what === 'map')
    cut.write(`${reader}.weight`, sum(await cut.read(`${reader}.weight`), correction.weight));
  const bias = await cut.read(`${reader}.bias`);
  cut.write(`${reader}.bias`, sum(bias, { rows: 1, columns: bias.columns, values: correction.bias }));
  const offset = statistics.targetMean.reduce((total, value) => total + value ** 2, 0);
  return { before: variance + offset, after: errorAfter(statistics, variance, correction) };
}

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
  const damped = ridged(covariance, ridgeOf({ covariance, count }));
  const { removed } = removalOrder(damped, await dense.read(`${reader}.weight`), {
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
