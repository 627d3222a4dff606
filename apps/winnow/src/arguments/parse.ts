import { UserError, suggestion } from '@winnow/core';
import yargs, { type Argv, type Options } from 'yargs';
import { z } from 'zod';
import type { Chosen, Command, Invocation } from '../commands/command';
import { taskOfModel } from '../model-source/choices';
import { mergeGiven } from '../options/group';
import { homeExpanded } from '../options/path';
import { homeExpandedIn } from '../options/path-options';
import { readConfigFile } from './config-file';
import { type Flag, flagsOf, givenByFlags } from './flag';

/** What the arguments ask for: a command, or a text to show. */
export type Request =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly invocation: Omit<Invocation, 'commandLine' | 'terminal'>;
    }
  | { readonly kind: 'text'; readonly text: string };

/** Columns of the help texts, where the terminal does not say or is wider. */
const WIDEST_HELP = 110;
/** Narrower than this no help is legible. */
const NARROWEST_HELP = 40;

const text = z.string().optional();
const peeked = z.object({ config: text, method: text, task: text, from: text, data: text });
const parsedArguments = z.looseObject({
  _: z.array(z.union([z.string(), z.number()])),
  config: text,
  resume: z.boolean().default(false),
});
const configured = z.looseObject({
  method: text.catch(undefined),
  task: text.catch(undefined),
  from: text.catch(undefined),
  data: text.catch(undefined),
});

/**
 * Reads the arguments, and the config file if they name one. Flags win over the file.
 * @throws {UserError} on an unknown command, an unknown flag (with the nearest known one) or a flag without its value.
 */
export async function parseArguments(
  all: readonly string[],
  commands: readonly Command[],
  { version, columns = WIDEST_HELP }: { readonly version: string; readonly columns?: number | undefined },
): Promise<Request> {
  const shown = { version, columns: Math.min(WIDEST_HELP, Math.max(NARROWEST_HELP, columns)) };
  const command = commands.find(({ name }) => wordsOf(name).every((word, place) => all[place] === word));
  if (command === undefined) return { kind: 'text', text: await overview(all, commands, shown) };
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
      .help(false)
      .parseAsync(),
  );
  const file =
    command.startsRun && first.config !== undefined ? await readConfigFile(homeExpanded(first.config)) : {};
  const inFile = configured.parse(file);
  const groups = command.groups(
    await withTaskOfModel(command, {
      method: first.method ?? inFile.method,
      task: first.task ?? inFile.task,
      from: expanded(first.from ?? inFile.from),
      data: expanded(first.data ?? inFile.data),
    }),
  );
  const flags = flagsOf(groups);

  const { parsed, output } = await fullParse(args, command, flags, shown);
  if (output !== '') return { kind: 'text', text: output };
  const { _: words, resume, ...rest } = parsedArguments.parse(parsed);
  const positionalName = command.positional?.name;
  const known = [
    ...flags.map(({ name }) => name),
    'help',
    'version',
    ...(command.startsRun ? ['config', 'resume'] : []),
  ];
  refuseUnknown(rest, known, ['$0', ...(positionalName === undefined ? [] : [positionalName])], command);
  const [, extra] = words;
  if (extra !== undefined) throw new UserError(`${command.name}: did not expect ${JSON.stringify(extra)}`);
  return {
    kind: 'command',
    command,
    invocation: {
      groups,
      given: homeExpandedIn(mergeGiven(file, givenByFlags(flags, rest), groups), groups),
      positional: positionalName === undefined ? undefined : expanded(text.parse(rest[positionalName])),
      resume,
    },
  };
}

/** A model that is not there, or is damaged, is for the command to refuse. */
async function withTaskOfModel({ takesModelFor }: Command, chosen: Chosen): Promise<Chosen> {
  if (takesModelFor === undefined || chosen.task !== undefined) return chosen;
  return { ...chosen, task: await taskOfModel(chosen, takesModelFor).catch(() => undefined) };
}

/** Of paths, and of names, which do not begin with ~. */
const expanded = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : homeExpanded(path);

const wordsOf = (name: string): string[] => name.split(' ');

/** What help texts look like, and what --version says. */
interface Shown {
  readonly version: string;
  readonly columns: number;
}

function reader(
  args: readonly string[],
  script: readonly string[] = [],
  { columns }: Pick<Shown, 'columns'> = { columns: WIDEST_HELP },
): Argv {
  return yargs([...args])
    .scriptName(['winnow', ...script].join(' '))
    .exitProcess(false)
    .version(false)
    .wrap(columns)
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
  shown: Shown,
): Promise<{ parsed: unknown; output: string }> {
  const { positional } = command;
  const place =
    positional === undefined ? '' : positional.required ? ` <${positional.name}>` : ` [${positional.name}]`;
  const words = wordsOf(command.name);
  const parser = reader(args, words.slice(0, -1), shown)
    .version(shown.version)
    .help()
    .command(`${words.at(-1)}${place}`, command.summary, (declared) => {
      if (positional !== undefined) {
        declared.positional(positional.name, { describe: positional.description, type: 'string' });
      }
      if (command.startsRun) {
        declared.options({
          config: {
            string: true,
            requiresArg: true,
            describe: 'Options from a YAML or JSON file; flags win over it',
          },
          resume: { boolean: true, describe: 'Go on with the run in the folder' },
        });
      }
      return declared.options(Object.fromEntries(flags.map((flag) => [flag.name, declaration(flag)])));
    });
  return run(parser, args);
}

/** The list of commands, or what is wrong with the first word. */
async function overview(
  args: readonly string[],
  commands: readonly Command[],
  shown: Shown,
): Promise<string> {
  const names = commands.map(({ name }) => name);
  const inGroup = names.filter((name) => name.startsWith(`${args[0]} `));
  if (inGroup.length > 0 && args.length === 1) {
    throw new UserError(`expected one of ${inGroup.map((name) => `winnow ${name}`).join(', ')}`);
  }
  const isGroup = inGroup.length > 0 && args.slice(1).every((argument) => argument === '--help');
  const listed = isGroup ? commands.filter(({ name }) => inGroup.includes(name)) : commands;
  const group = isGroup ? `${args[0]} ` : '';
  // The commands of a group are two words, of which the parser would show the first alone.
  const parser = reader(args, [], shown)
    .version(shown.version)
    .help()
    .usage(
      `winnow ${group}<command> [options]\n\nMake transformers smaller: search, cut, retrain, prove.\n\n${listing(listed, shown)}`,
    )
    .epilogue(`winnow ${group}<command> --help shows its options.`);
  const { output } = await run(parser, args);
  if (output !== '') return output;
  const asked = inGroup.length > 0 ? args.slice(0, 2).join(' ') : args[0];
  const near = asked === undefined ? undefined : suggestion(asked, names);
  if (asked === undefined)
    throw new UserError(`expected a command: ${names.join(', ')} (winnow --help says more)`);
  throw new UserError(
    `unknown command ${asked}; ${near === undefined ? `known are ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}

/** Commands with their summaries in two columns; a summary that is too long goes on below itself. */
function listing(commands: readonly Command[], { columns }: Shown): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const rows = commands.map(({ name, summary }) => {
    const lines = wrapped(summary, Math.max(20, columns - width - 4));
    return `  ${name.padEnd(width)}${lines.join(`\n  ${' '.repeat(width)}`)}`;
  });
  return `Commands:\n${rows.join('\n')}`;
}

/** Lines of whole words. */
function wrapped(text: string, columns: number): string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) {
      return [...lines.slice(0, -1), `${last} ${word}`];
    }
    return [...lines, word];
  }, []);
}

async function run(parser: Argv, args: readonly string[]): Promise<{ parsed: unknown; output: string }> {
  let output = '';
  let failure: string | undefined;
  const parsed: unknown = await parser.parseAsync([...args], {}, (error, _parsed, text) => {
    if (error !== undefined && error !== null) failure = error.message;
    else output = text;
  });
  if (failure !== undefined) throw new UserError(failure);
  return { parsed, output };
}

function declaration({ title, field: { description, defaultValue, choices, accepts } }: Flag): Options {
  return {
    group: `${title}:`,
    describe: description,
    ...(defaultValue === undefined ? {} : { defaultDescription: String(defaultValue) }),
    ...(choices === undefined ? {} : { choices }),
    ...typeOf(accepts),
  };
}

function typeOf(accepts: Flag['field']['accepts']): Options {
  if (accepts.has('boolean')) return { boolean: true };
  // Numbers come as text too: whoever reads them can then say what was given.
  return { string: true, requiresArg: true };
}

function refuseUnknown(
  parsed: Readonly<Record<string, unknown>>,
  known: readonly string[],
  others: readonly string[],
  { name }: Command,
): void {
  const unknown = Object.keys(parsed).filter((key) => !known.includes(key) && !others.includes(key));
  if (unknown.length === 0) return;
  const lines = unknown.map((key) => {
    const near = suggestion(key, known);
    return near === undefined ? `unknown flag --${key}` : `unknown flag --${key}; did you mean --${near}?`;
  });
  throw new UserError(`${lines.join('; ')} (winnow ${name} --help lists all)`);
}
