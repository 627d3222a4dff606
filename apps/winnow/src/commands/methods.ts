import type { CompressionMethod } from '@winnow/core';
import { compressGroups, methodNamed, methods } from '@winnow/lab';
import { flagsOf } from '../arguments/flag';
import { print } from '../terminal/terminal';
import type { Command } from './command';

export const methodsCommand: Command = {
  name: 'methods',
  summary: 'The compression methods, or one of them with its options',
  positional: { name: 'name', description: 'A method', required: false },
  startsRun: false,
  groups: () => [],
  run: ({ positional, terminal }) => {
    const text = positional === undefined ? listing() : description(methodNamed(positional));
    print(terminal.stdout, text);
    return Promise.resolve();
  },
};

function listing(): string {
  const width = Math.max(...methods.map(({ manifest }) => manifest.name.length));
  return methods.map(({ manifest: { name, summary } }) => `${name.padEnd(width)}  ${summary}`).join('\n');
}

function description({ manifest: { name, title, summary, paper } }: CompressionMethod): string {
  const flags = flagsOf(compressGroups({ method: name })).filter(({ groupKey }) => groupKey === 'options');
  const width = Math.max(...flags.map(({ name }) => name.length));
  const options = flags.map(
    ({ name, field: { key, defaultValue, description } }) =>
      `  --${name.padEnd(width)}  ${description} [${key}: ${String(defaultValue)}]`,
  );
  return [
    `${title}: ${summary}`,
    paper,
    options.length === 0
      ? 'It has no options.'
      : 'Options, and in brackets their keys and defaults in a file:',
    ...options,
  ].join('\n');
}
