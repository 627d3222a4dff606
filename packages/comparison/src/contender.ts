import { type Duration, type Json, UserError, durationOption } from '@winnow/core';
import { z } from 'zod';
import { type ComparisonConfig, type TrackName, type WorkloadConfig, trackNames } from './config';

export type Options = Readonly<Record<string, Json>>;

/** Something that must stand in every comparison beside the methods: also a method, in a role. */
export interface Control {
  readonly name: string;
  readonly label: string;
  readonly method: string;
  readonly options: Options;
  /** Its own budget: a control of 1x is the same at every budget. */
  readonly budget?: string;
  /** Whether it gets the dense training's compute as well, and its learning rate: it starts without a dense model. */
  readonly startsAnew: boolean;
}

/** One line of a table: a method or a control, at one budget, in one track, on one workload. */
export interface Contender {
  readonly workload: string;
  readonly track: TrackName;
  readonly label: string;
  readonly method: string;
  readonly isControl: boolean;
  /** Whether it is trained without a dense model. */
  readonly startsAnew?: true;
  /** As it was asked for: of the table, not of the control. */
  readonly budget: string;
}

/** The options of a contender's runs, but for seed, dense model and learning rate. */
export interface Entry {
  readonly contender: Contender;
  readonly options: Options;
  /** Peak learning rates to choose from. */
  readonly learningRates: readonly number[];
}

/**
 * Everything that a comparison of this workload sets against each other.
 * @param dense Every option of the dense training.
 */
export function entriesOf(
  config: ComparisonConfig,
  workload: WorkloadConfig,
  dense: Options,
  controls: readonly Control[],
  optionsOf: (method: string) => readonly string[],
): Entry[] {
  return (workload.budgets ?? config.budgets).flatMap((budget) =>
    tracksAt(config, budget).flatMap((track) => [
      ...methodEntries(config, workload, track, budget, optionsOf),
      ...controls
        .filter(({ name }) => !config.without.includes(name))
        .map((control) => controlEntry(config, workload, dense, track, budget, control)),
    ]),
  );
}

const tracksAt = ({ tracks }: ComparisonConfig, budget: string | number): TrackName[] =>
  trackNames.filter((name) => {
    const track = tracks[name];
    return track !== undefined && (track.budgets?.includes(budget) ?? true);
  });

function methodEntries(
  config: ComparisonConfig,
  workload: WorkloadConfig,
  track: TrackName,
  budget: string | number,
  optionsOf: (method: string) => readonly string[],
): Entry[] {
  return config.methods
    .filter(
      ({ workloads, tracks, budgets }) =>
        (workloads?.includes(workload.name) ?? true) &&
        (tracks?.includes(track) ?? true) &&
        (budgets?.includes(budget) ?? true),
    )
    .map((entry): Entry => {
      const { method, label = method, options, budget: own, retrain, run, retrainLearningRates } = entry;
      const known = optionsOf(method);
      const ofTrack = Object.entries(config.tracks[track]?.options ?? {}).filter(([key]) =>
        known.includes(key),
      );
      return {
        contender: {
          workload: workload.name,
          track,
          label,
          method,
          isControl: false,
          budget: String(budget),
        },
        learningRates: retrainLearningRates ?? config.retrainLearningRates,
        options: {
          ...workload.shared,
          ...workload.compress,
          ...config.tracks[track]?.run,
          ...run,
          ...config.run,
          method,
          budget: own ?? budget,
          budgetUnit: config.budgetUnit,
          ...lengthOf(config, track, retrain),
          options: { ...Object.fromEntries(ofTrack), ...options },
        },
      };
    });
}

function controlEntry(
  config: ComparisonConfig,
  workload: WorkloadConfig,
  dense: Options,
  track: TrackName,
  budget: string | number,
  { name, label, method, options, budget: ownBudget, startsAnew }: Control,
): Entry {
  const { duration, learningRate } = dense;
  const own = config.controls[name];
  // Who starts anew trains as the dense model did.
  const ratesOfAll =
    startsAnew && typeof learningRate === 'number' ? [learningRate] : config.retrainLearningRates;
  return {
    contender: {
      workload: workload.name,
      track,
      label,
      method,
      isControl: true,
      ...(startsAnew ? { startsAnew } : {}),
      budget: String(budget),
    },
    learningRates: own?.retrainLearningRates ?? ratesOfAll,
    options: {
      ...workload.shared,
      ...workload.compress,
      ...(startsAnew ? {} : config.tracks[track]?.run),
      ...own?.run,
      ...config.run,
      method,
      budget: ownBudget ?? budget,
      budgetUnit: config.budgetUnit,
      ...(startsAnew
        ? { compute: sumOf(String(duration), extraOf(config, track)) }
        : lengthOf(config, track)),
      options,
    },
  };
}

function lengthOf({ tracks }: ComparisonConfig, track: TrackName, retrain?: Duration): Options {
  switch (track) {
    case 'equal-compute':
      return tracks[track] === undefined ? {} : { compute: tracks[track].compute };
    case 'recommended':
      return tracks[track] === undefined ? {} : { retrain: retrain ?? tracks[track].retrain };
    default:
      return track satisfies never;
  }
}

const searchIn = z.looseObject({ search: durationOption.optional() });

/**
 * Lists the durations that a track gives beyond the dense training; where searches differ, the retraining and the given
 * search.
 */
function extraOf({ tracks }: ComparisonConfig, track: TrackName): Duration[] {
  switch (track) {
    case 'equal-compute':
      return tracks['equal-compute'] === undefined ? [] : [tracks['equal-compute'].compute];
    case 'recommended': {
      const { recommended } = tracks;
      if (recommended === undefined) return [];
      const parsed = searchIn.safeParse(recommended.options);
      if (!parsed.success)
        throw new UserError('tracks.recommended.options.search: expected a duration like 3ep or 200it');
      const { search } = parsed.data;
      return [recommended.retrain, ...(search === undefined ? [] : [search])];
    }
    default:
      return track satisfies never;
  }
}

const length = /^(\d+(?:\.\d+)?)(ep|it)$/;

/** @throws {UserError} when some are epochs and some iterations: only a run knows how many make an epoch. */
function sumOf(first: string, more: readonly string[]): string {
  const parts = [first, ...more].map((text) => length.exec(text));
  const unit = parts[0]?.[2];
  if (unit === undefined || parts.some((part) => part?.[2] !== unit)) {
    throw new UserError(
      `lengths of training: expected all in epochs or all in iterations, got ${[first, ...more].join(', ')}: the ` +
        'small model from scratch gets all of them together',
    );
  }
  return `${parts.reduce((sum, part) => sum + Number(part?.[1] ?? 0), 0)}${unit}`;
}
