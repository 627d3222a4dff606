import type { Command } from '../commands/command';
import type { Flag } from './flag';

/** Columns of the help texts, where the terminal does not say or is wider. */
export const WIDEST_HELP = 110;
/** Narrower than this no help is legible. */
const NARROWEST_HELP = 40;
/** Widest column of names, in characters; a longer name has its text below it. */
const WIDEST_NAMES = 34;

interface Entry {
  readonly name: string;
  readonly text: string;
}

const generalFlags: readonly Entry[] = [
  { name: '--version', text: 'Show version number' },
  { name: '--help', text: 'Show help' },
];

const runFlags: readonly Entry[] = [
  { name: '--config', text: 'Options from a YAML or JSON file; flags win over it' },
  { name: '--resume', text: 'Go on with the run in the folder' },
];

/** The columns that a help text may take on a terminal. */
export const helpColumns = (columns: number | undefined): number =>
  Math.min(WIDEST_HELP, Math.max(NARROWEST_HELP, columns ?? WIDEST_HELP));

/** The list of commands, or of those of one group (`ticket `). */
export function overviewText(commands: readonly Command[], group: string, columns: number): string {
  return [
    `winnow ${group}<command> [options]`,
    'Make transformers smaller: search, cut, retrain, prove.',
    listing(
      'Commands',
      commands.map(({ name, summary }) => ({ name, text: summary })),
      columns,
    ),
    listing('Options', generalFlags, columns),
    `winnow ${group}<command> --help shows its options.`,
  ].join('\n\n');
}

/** The flags of a command, group by group. */
export function commandText(command: Command, flags: readonly Flag[], columns: number): string {
  const { name, summary, positional, further, startsRun } = command;
  const words = [positional, further].flatMap((word) => (word === undefined ? [] : [word]));
  const titles = [...new Set(flags.map(({ title }) => title))];
  return [
    ['winnow', name, ...wordsOf(command)].join(' '),
    wrapped(summary, columns).join('\n'),
    ...(words.length === 0
      ? []
      : [
          listing(
            'Positionals',
            words.map((word) => ({ name: word.name, text: word.description })),
            columns,
          ),
        ]),
    ...titles.map((title) =>
      listing(title, flags.filter((flag) => flag.title === title).map(flagEntry), columns),
    ),
    listing('Options', [...generalFlags, ...(startsRun ? runFlags : [])], columns),
  ].join('\n\n');
}

/** The words that a command takes after its name: `<model> <pictures..>`. */
export const wordsOf = ({ positional, further }: Pick<Command, 'positional' | 'further'>): string[] => [
  ...(positional === undefined
    ? []
    : [positional.required ? `<${positional.name}>` : `[${positional.name}]`]),
  ...(further === undefined ? [] : [`<${further.name}..>`]),
];

function flagEntry({ name, field: { description, defaultValue, choices } }: Flag): Entry {
  const notes = [
    ...(choices === undefined ? [] : [`[${choices.join(', ')}]`]),
    ...(defaultValue === undefined ? [] : [`[default: ${String(defaultValue)}]`]),
  ];
  return { name: `--${name}`, text: [description, ...notes].join(' ') };
}

/** Names with their texts in two columns; a text that is too long goes on below itself, word by word. */
function listing(heading: string, entries: readonly Entry[], columns: number): string {
  const width = Math.min(
    WIDEST_NAMES,
    Math.floor(columns / 2),
    Math.max(...entries.map(({ name }) => name.length)),
  );
  const indent = ' '.repeat(width + 4);
  const rows = entries.map(({ name, text }) => {
    const lines = wrapped(text, columns - width - 4).join(`\n${indent}`);
    return name.length > width ? `  ${name}\n${indent}${lines}` : `  ${name.padEnd(width)}  ${lines}`;
  });
  return `${heading}:\n${rows.join('\n')}`;
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
