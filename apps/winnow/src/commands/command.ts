import type { ChosenForGroups, GivenOptions, OptionGroup, TaskRange } from '@winnow/lab';
import type { Terminal } from '../terminal/terminal';

/** A command of the command line, described before anything of it runs. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly positional?: { readonly name: string; readonly description: string; readonly required: boolean };
  /** The words after the positional, of which it needs one at least. */
  readonly further?: { readonly name: string; readonly description: string };
  /** Takes `--config` and `--resume`. */
  readonly startsRun: boolean;
  /**
   * Its options, of which some depend on what was chosen by others.
   * @throws {UserError} when there is no such method or task.
   */
  groups(chosen: Chosen): readonly OptionGroup[];
  /** For which tasks it takes the model of `--from`, if it takes one: the model says the task, unless one is chosen. */
  readonly takesModelFor?: TaskRange;
  run(invocation: Invocation): Promise<void>;
}

/** Where the files of this program lie. */
export interface Installation {
  /** The folder of the comparisons that come with it. */
  readonly presetFolder: string;
  /** The program itself, for runs that are processes of their own. */
  readonly program: string;
}

/** Choices on which other options depend, as far as they were made. */
export interface Chosen extends ChosenForGroups {
  readonly from?: string | undefined;
  readonly data?: string | undefined;
}

/** The request to a command. */
export interface Invocation {
  readonly groups: readonly OptionGroup[];
  /** Options from the config file and the flags; not yet checked. */
  readonly given: GivenOptions;
  readonly positional: string | undefined;
  /** Words after it; none where the command takes none. */
  readonly further: readonly string[];
  readonly resume: boolean;
  /** As it was given, for a shell. */
  readonly commandLine: string;
  readonly terminal: Terminal;
}
