import { UserError, suggestion } from '@winnow/core';
import {
  type HubWatch,
  chosenIn,
  homeExpanded,
  homeExpandedIn,
  isHubName,
  mergeGiven,
  pinnedModel,
  taskOfModel,
} from '@winnow/lab';
import yargs, { type Argv, type Options } from 'yargs';
import { z } from 'zod';
import type { Chosen, Command, Invocation } from '../commands/command';
import { readConfigFile } from './config-file';
import { type Flag, flagsOf, givenByFlags } from './flag';
import { commandText, helpColumns, overviewText, wordsOf as wordsAfter } from './help';

/** The request that the arguments make: a command, or a text to show. */
export type Request =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly invocation: Omit<Invocation, 'commandLine' | 'terminal'>;
    }
  | { readonly kind: 'text'; readonly text: string };

/** The command that arguments are read for, and whoever looks on while a model is fetched to see its task. */
export interface ParsingChoices extends HubWatch {
  readonly version: string;
  readonly columns?: number | undefined;
}

const text = z.string().optional();
const peeked = z.object({ config: text, method: text, task: text, from: text, data: text });
const parsedArguments = z.looseObject({
  _: z.array(z.union([z.string(), z.number()])),
  config: text,
  resume: z.boolean().default(false),
});
const configured = z.looseObject({ method: text, task: text, from: text, data: text });

/**
 * Reads the arguments, and the config file if they name one. Flags win over the file.
 * @throws {UserError} on an unknown command, an unknown flag (with the nearest known one) or a flag without its value.
 */
export async function parseArguments(
  all: readonly string[],
  commands: readonly Command[],
  { version, columns, ...watch }: ParsingChoices,
): Promise<Request> {
  const command = commands.find(({ name }) => wordsOf(name).every((word, place) => all[place] === word));
  if (command === undefined) return { kind: 'text', text: overview(all, commands, { version, columns }) };
  // Of `ticket find` the parser sees `find`.
  const args = all.slice(wordsOf(command.name).length - 1);

  // First pass: a command's options depend on the method and the task, which may stand in the config file, or be
  // those of a model.
  const first = peeked.parse(
    await reader(args)
      .options({
        config: { string: true },
        method: { string: true },
        task: { string: true },
        from: { string: true },
        data: { string: true },
      })
      .parseAsync(),
  );
  const file =
    command.startsRun && first.config !== undefined ? await readConfigFile(homeExpanded(first.config)) : {};
  const inFile = chosenIn(configured, file);
  const chosen = {
    method: first.method ?? inFile.method,
    task: first.task ?? inFile.task,
    from: expanded(first.from ?? inFile.from),
    data: expanded(first.data ?? inFile.data),
  };
  const isShown = all.includes('--help') || all.includes('--version');
  const withTask = await withTaskOfModel(command, chosen, isShown ? undefined : watch);
  const groups = command.groups(withTask);
  const flags = flagsOf(groups);

  if (all.includes('--help'))
    return { kind: 'text', text: commandText(command, flags, helpColumns(columns)) };
  if (all.includes('--version')) return { kind: 'text', text: version };
  const parsed = await fullParse(args, command, flags);
  const { _: words, resume, ...rest } = parsedArguments.parse(parsed);
  const positionalName = command.positional?.name;
  const known = [
    ...flags.map(({ name }) => name),
    'help',
    'version',
    ...(command.startsRun ? ['config', 'resume'] : []),
  ];
  const others = ['$0', ...(positionalName === undefined ? [] : [positionalName])];
  const unknown = Object.keys(rest).filter((key) => !known.includes(key) && !others.includes(key));
  refuseUnknown(unknown, known, command, withTask);
  const [, ...further] = words.map(String);
  const [extra] = further;
  if (command.further === undefined && extra !== undefined)
    throw new UserError(`${command.name}: did not expect ${JSON.stringify(extra)}`);
  if (command.further !== undefined && extra === undefined)
    throw new UserError(`winnow ${command.name}: expected ${wordsAfter(command).join(' ')}`);
  return {
    kind: 'command',
    command,
    invocation: {
      groups,
      given: homeExpandedIn(mergeGiven(file, givenByFlags(flags, rest), groups), groups),
      positional: positionalName === undefined ? undefined : expanded(text.parse(rest[positionalName])),
      further: further.map(homeExpanded),
      resume,
    },
  };
}

/** A model that is not there, or is damaged, is for the command to refuse; one of the Hub is fetched first, unless a text is only to be shown. */
async function withTaskOfModel(
  { takesModelFor }: Command,
  chosen: Chosen,
  watch: HubWatch | undefined,
): Promise<Chosen> {
  const { from: named } = chosen;
  if (takesModelFor === undefined || chosen.task !== undefined || named === undefined) return chosen;
  if (watch === undefined && isHubName(named)) return chosen;
  const from = await pinnedModel(named, watch);
  return { ...chosen, task: await taskOfModel({ ...chosen, from }, takesModelFor).catch(() => undefined) };
}

/** Replaces the ~ that a path begins with by the home folder; names, which do not begin with ~, stay. */
const expanded = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : homeExpanded(path);

const wordsOf = (name: string): string[] => name.split(' ');

function reader(args: readonly string[]): Argv {
  return yargs([...args])
    .scriptName('winnow')
    .exitProcess(false)
    .version(false)
    .help(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'parse-positional-numbers': false,
    });
}

async function fullParse(
  args: readonly string[],
  command: Command,
  flags: readonly Flag[],
): Promise<unknown> {
  const { name, summary, positional, startsRun } = command;
  // Further words are left over, for the parser would keep only the last of several.
  const place = wordsAfter(positional === undefined ? {} : { positional }).join(' ');
  const parser = reader(args).command(`${wordsOf(name).at(-1)} ${place}`.trimEnd(), summary, (declared) => {
    if (positional !== undefined) declared.positional(positional.name, { type: 'string' });
    if (startsRun) {
      declared.options({ config: { string: true, requiresArg: true }, resume: { boolean: true } });
    }
    return declared.options(Object.fromEntries(flags.map((flag) => [flag.name, declaration(flag)])));
  });
  let failure: string | undefined;
  const parsed: unknown = await parser.parseAsync([...args], {}, (error) => {
    if (error !== undefined && error !== null) failure = error.message;
  });
  if (failure !== undefined)
    throw new UserError(`winnow ${name}: ${inOurWords(failure, wordsAfter(command).join(' '))}`);
  return parsed;
}

/** The complaint of the parser about a flag without its value, or with one that is none of its choices, or of a missing word. */
function inOurWords(failure: string, positional: string): string {
  const [, flag] = /^Not enough arguments following: (\S+)$/.exec(failure) ?? [];
  if (flag !== undefined) return `expected a value after --${flag}`;
  if (failure.startsWith('Not enough non-option arguments')) return `expected ${positional}`;
  const choices = [...failure.matchAll(/Argument: ([^,]+), Given: (.*), Choices: (.*)/g)];
  if (choices.length === 0) return failure;
  return choices
    .map(([, name, given, allowed]) => `--${name}: expected one of ${allowed}, got ${given}`)
    .join('; ');
}

/** The list of commands, or what is wrong with the first word. */
function overview(
  args: readonly string[],
  commands: readonly Command[],
  { version, columns }: { readonly version: string; readonly columns: number | undefined },
): string {
  const names = commands.map(({ name }) => name);
  const inGroup = names.filter((name) => name.startsWith(`${args[0]} `));
  if (inGroup.length > 0 && args.length === 1) {
    throw new UserError(`expected one of ${inGroup.map((name) => `winnow ${name}`).join(', ')}`);
  }
  const isGroup = inGroup.length > 0 && args.slice(1).every((argument) => argument === '--help');
  const listed = isGroup ? commands.filter(({ name }) => inGroup.includes(name)) : commands;
  const group = isGroup ? `${args[0]} ` : '';
  if (args.includes('--version')) return version;
  if (args.includes('--help')) return overviewText(listed, group, helpColumns(columns));
  const asked = inGroup.length > 0 ? args.slice(0, 2).join(' ') : args[0];
  const near = asked === undefined ? undefined : suggestion(asked, names);
  if (asked === undefined)
    throw new UserError(`expected a command: ${names.join(', ')} (winnow --help says more)`);
  throw new UserError(
    `unknown command ${asked}; ${near === undefined ? `known are ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}

function declaration({ field: { choices, accepts } }: Flag): Options {
  if (accepts.has('boolean') && !accepts.has('string')) return { boolean: true };
  // A text that may be left out.
  if (accepts.has('boolean')) return { string: true };
  // Numbers come as text too: whoever reads them can then say what was given.
  return { string: true, requiresArg: true, ...(choices === undefined ? {} : { choices }) };
}

function refuseUnknown(
  unknown: readonly string[],
  known: readonly string[],
  command: Command,
  chosen: Chosen,
): void {
  if (unknown.length === 0) return;
  const lines = unknown.map((key) => {
    const tasks = otherTasksWith(key, command, chosen);
    if (tasks.length > 0)
      return `--${key} is for --task ${tasks.join(' or ')}${chosen.task === undefined ? '' : `, not for ${chosen.task}`}`;
    const near = suggestion(key, known);
    return near === undefined ? `unknown flag --${key}` : `unknown flag --${key}; did you mean --${near}?`;
  });
  throw new UserError(`${lines.join('; ')} (winnow ${command.name} --help lists all)`);
}

/** The tasks for which a command has a flag; none for a command that is for all tasks alike. */
function otherTasksWith(name: string, command: Command, chosen: Chosen): readonly string[] {
  const flagsFor = (choices: Chosen) => flagsOf(command.groups(choices));
  const tasks = flagsFor(chosen).find((flag) => flag.name === 'task')?.field.choices ?? [];
  return tasks.filter((task) => flagsFor({ ...chosen, task }).some((flag) => flag.name === name));
}
