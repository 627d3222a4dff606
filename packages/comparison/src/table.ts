import type { DenseMeasurement, Failure, Measurement, Outcomes } from './measurement';
import {
  type PairedDifference,
  type Spread,
  meanOf,
  pairedDifference,
  spreadOf,
  verdictOf,
} from './statistics';

/** The measurements of a model, by the names that tables give them. */
export interface Spreads {
  /** The score that models are compared by. */
  readonly score: Spread;
  readonly parameters: Spread;
  readonly macs: Spread;
  readonly bytes: Spread;
  /** For each size of a batch; empty where it was not measured. */
  readonly latencies: readonly {
    readonly batchSize: number;
    readonly p50Ms: Spread;
    readonly p95Ms: Spread;
  }[];
  readonly trainingMacs: Spread;
}

/** A contender over all seeds. */
export interface Row extends Spreads {
  readonly label: string;
  readonly method: string;
  readonly isControl: boolean;
  /** Whether it is a small model from scratch, without a dense model to begin with. */
  readonly startsAnew: boolean;
  /** The one that the validation split chose. */
  readonly learningRate: number;
  /** The score before any retraining. */
  readonly cut: Spread;
  /** The score after the first epoch of retraining; null where some run's retraining is shorter, or did not measure it. */
  readonly afterOneEpoch: Spread | null;
  /** Every score after retraining. */
  readonly scores: Readonly<Record<string, Spread>>;
  /** Seeds whose run failed. */
  readonly failed: readonly number[];
  /**
   * The places that it may have among all contenders: the first is 1 more than the number of those that are better beyond
   * doubt, the last leaves those behind it that are worse beyond doubt. Null where no interval of at least three seeds says
   * anything of it.
   */
  readonly places: readonly [first: number, last: number] | null;
}

/** Two contenders, seed by seed. */
export interface Comparison {
  readonly first: string;
  readonly second: string;
  /** The paired difference of the scores, first − second. */
  readonly difference: PairedDifference;
  /** 1 when the first is better, −1 when the second is, 0 when the interval includes zero. */
  readonly verdict: -1 | 0 | 1;
}

/** The contenders of one workload, track and budget. */
export interface Table {
  readonly workload: string;
  readonly track: Measurement['track'];
  readonly budget: string;
  readonly metric: string;
  /** By falling score: nobody stands before a higher one. */
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
}

/** The dense models of a workload. */
export interface DenseRow extends Spreads {
  readonly workload: string;
  readonly metric: string;
  readonly scores: Readonly<Record<string, Spread>>;
}

/** One table for each workload, track and budget, in the order of the measurements. */
export function tablesOf({ measurements, failures }: Outcomes, confidence: number): Table[] {
  const groups = grouped([...measurements, ...failures.flatMap(({ point }) => point ?? [])], (point) =>
    JSON.stringify([point.workload, point.track, point.budget]),
  );
  return groups.map((points): Table => {
    const [{ workload, track, budget }] = points;
    const isHere = (point: (typeof points)[number]) =>
      point.workload === workload && point.track === track && point.budget === budget;
    const chosen = grouped(measurements.filter(isHere), ({ label }) => label).map(chosenTrial);
    const failed = failures.filter(({ point }) => point !== undefined && isHere(point));
    const comparisons = comparisonsOf(chosen, confidence);
    return {
      workload,
      track,
      budget,
      metric: chosen[0]?.[0].metric ?? '',
      rows: chosen
        .map((runs) => rowOf(runs, { failed, comparisons, contenders: chosen.length }))
        .sort((a, b) => b.score.mean - a.score.mean),
      comparisons,
    };
  });
}

export function denseRowsOf({ dense }: Outcomes): DenseRow[] {
  return grouped(dense, ({ workload }) => workload).map((models) => {
    const [{ workload, metric }] = models;
    return {
      workload,
      metric,
      ...spreadsOf(models, ({ scores }) => scores),
      scores: scoresOf(models.map(({ scores }) => scores)),
    };
  });
}

type Some<Value> = readonly [Value, ...Value[]];

/** Groups in the order of their first members. */
function grouped<Value>(values: readonly Value[], keyOf: (value: Value) => string): Some<Value>[] {
  const groups = new Map<string, [Value, ...Value[]]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

/**
 * The runs of the learning rate with the best mean validation score, of those that finished for the most seeds. The test
 * split has no say. Without a validation split it is the first one given.
 */
export function chosenTrial(runs: Some<Measurement>): Some<Measurement> {
  const trials = grouped(runs, ({ learningRate }) => String(learningRate));
  const worth = (trial: Some<Measurement>) =>
    meanOf(trial.map(({ validation, metric }) => validation?.[metric] ?? Number.NEGATIVE_INFINITY));
  return trials.reduce((best, trial) => {
    const more = trial.length - best.length;
    return more > 0 || (more === 0 && worth(trial) > worth(best)) ? trial : best;
  });
}

function comparisonsOf(contenders: readonly Some<Measurement>[], confidence: number): Comparison[] {
  return contenders.flatMap((one, place) =>
    contenders.slice(place + 1).flatMap((other): Comparison[] => {
      // On the same test set; should it have changed between the runs, the smaller one.
      const testExamples = Math.min(...[...one, ...other].map((run) => run.testExamples));
      const difference = pairedDifference(bySeed(one), bySeed(other), { confidence, testExamples });
      if (difference === undefined) return [];
      return [{ first: one[0].label, second: other[0].label, difference, verdict: verdictOf(difference) }];
    }),
  );
}

const scoreOf = ({ retrained, metric }: Measurement): number => retrained[metric] ?? Number.NaN;
const bySeed = (runs: Some<Measurement>) => new Map(runs.map((run) => [run.seed, scoreOf(run)]));

function rowOf(
  runs: Some<Measurement>,
  {
    failed,
    comparisons,
    contenders,
  }: {
    readonly failed: readonly Failure[];
    readonly comparisons: readonly Comparison[];
    readonly contenders: number;
  },
): Row {
  const [{ label, method, isControl, startsAnew = false, learningRate, metric }] = runs;
  const own = comparisons.filter(({ first, second }) => first === label || second === label);
  const lost = own.filter(({ first, verdict }) => verdict === (first === label ? -1 : 1)).length;
  const won = own.filter(({ verdict }) => verdict !== 0).length - lost;
  return {
    label,
    method,
    isControl,
    startsAnew,
    learningRate,
    ...spreadsOf(runs, ({ retrained }) => retrained),
    cut: spreadOf(runs.map(({ cut }) => cut[metric] ?? Number.NaN)),
    afterOneEpoch: spreadOfAll(runs.map(({ afterOneEpoch }) => afterOneEpoch?.[metric])),
    scores: scoresOf(runs.map(({ retrained }) => retrained)),
    failed: failed.filter(({ point }) => point?.label === label).map(({ seed }) => seed),
    places: lost + won === 0 ? null : [lost + 1, contenders - won],
  };
}

/** The spread of all values; null where one is not known: a mean of some seeds would stand beside means of all. */
const spreadOfAll = (values: readonly (number | undefined)[]): Spread | null => {
  const known = values.flatMap((value) => value ?? []);
  return known.length === values.length ? spreadOf(known) : null;
};

function spreadsOf<Measured extends DenseMeasurement | Measurement>(
  measured: Some<Measured>,
  scoresOf: (measured: Measured) => Readonly<Record<string, number>>,
): Spreads {
  const over = (value: (measured: Measured) => number) => spreadOf(measured.map(value));
  const latencies = grouped(
    measured.flatMap(({ latencies }) => latencies),
    ({ batchSize }) => String(batchSize),
  ).map((known) => ({
    batchSize: known[0].batchSize,
    p50Ms: spreadOf(known.map(({ p50Ms }) => p50Ms)),
    p95Ms: spreadOf(known.map(({ p95Ms }) => p95Ms)),
  }));
  return {
    score: over((each) => scoresOf(each)[each.metric] ?? Number.NaN),
    parameters: over(({ parameters }) => parameters),
    macs: over(({ macs }) => macs),
    bytes: over(({ bytes }) => bytes),
    trainingMacs: over(({ trainingMacs }) => trainingMacs),
    latencies,
  };
}

function scoresOf(all: readonly Readonly<Record<string, number>>[]): Record<string, Spread> {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, spreadOf(all.map((scores) => scores[name] ?? Number.NaN))]),
  );
}
