import type { Duration, Runner } from '@winnow/core';
import type { BrokenPicture } from '@winnow/data';
import type { StartedEngine } from '@winnow/engine';
import type { RunCommand } from '../identity/identify';
import type { TaskRange } from '../model-source/choices';
import type { GivenOptions, OptionGroup } from '../options/group';
import type { EngineChoice } from '../options/training';
import type { PlannedRun } from '../run-folder/plan-run';
import type { RunRecord } from '../run-folder/record';
import type { RunFolder } from '../run-folder/run-folder';

/** Choices on which other options depend, as far as they were made. */
export interface ChosenForGroups {
  readonly method?: string | undefined;
  readonly task?: string | undefined;
}

/** A run that is about to begin; nothing of it is written yet. */
export interface Beginning<Options> {
  readonly plan: PlannedRun;
  readonly options: Options;
  /** Says a line to whoever looks on. */
  note(line: string): void;
  /** @throws {EngineUnavailableError} when the engine that was chosen is not here. */
  startEngine(): Promise<StartedEngine>;
}

/** A run whose options, files and data are checked. */
export interface PreparedRun<Summary> {
  readonly engine: StartedEngine;
  /** SHA-256 of the weights that it starts from, where it is given a model. */
  readonly sourceWeights?: string;
  readonly stepsPerEpoch: number;
  /** Pictures of its data that were left out; none where nothing is said. */
  readonly skipped?: readonly BrokenPicture[] | undefined;
  /**
   * Does it, and writes its summary last.
   * @param startMs When the run was asked for, by `performance.now()`.
   */
  work(runner: Runner, run: RunFolder, startMs: number): Promise<Summary>;
  /** Lets go of what it holds on the engine. */
  dispose(): void;
}

/** Options that every run has. */
export type RunOptions = EngineChoice & {
  readonly checkpointEvery: Duration;
  /** Whether TensorBoard can look on, and in which folder. */
  readonly tensorboard?: boolean | string | undefined;
};

/** A kind of run, described before anything of it is made: `makeRun` does what all of them have in common. */
export interface RunKind<Options extends RunOptions, Summary> {
  readonly command: RunCommand;
  /** The tasks for which it takes the model of `from`, where its options depend on the task. */
  readonly takesModelFor?: TaskRange;
  /**
   * All options that there are, whatever others say: what a help text lists.
   * @throws {UserError} when there is no such method or task.
   */
  groups(chosen: ChosenForGroups): readonly OptionGroup[];
  /**
   * The options that belong to these values.
   * @throws {UserError} when there is no such method or task.
   */
  groupsFor(options: GivenOptions): readonly OptionGroup[];
  /**
   * Fills in what a model says that the run starts from.
   * @param resume A resumed run has it in its record.
   * @throws {UserError} when options exclude each other, or nothing says which data.
   */
  complete(given: GivenOptions, resume: boolean): Promise<GivenOptions>;
  /** Options that may be others when the run is asked for again: those that say how far it goes. */
  readonly changeable?: readonly string[];
  /** Gives the name of a run folder, before the hash. */
  nameOf(options: GivenOptions): string;
  /** @throws {UserError} when they do not fit together. */
  optionsOf(options: GivenOptions): Options;
  /**
   * Its results; undefined when it has not finished.
   * @throws {FormatError} when there are some that cannot be read.
   */
  readSummary(folder: string, record: RunRecord): Promise<Summary | undefined>;
  /** Whether a finished run goes as far as is asked for. */
  isEnough(summary: Summary, options: Options): boolean;
  /** Finds everything that can be wrong, before anything is written. @throws {UserError} when something is. */
  prepare(beginning: Beginning<Options>): Promise<PreparedRun<Summary>>;
}
