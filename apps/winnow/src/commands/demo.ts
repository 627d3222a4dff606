import { UserError } from '@winnow/core';
import { demoGroup, writeDemo } from '@winnow/lab';
import { print, watchOn } from '../terminal/terminal';
import type { Command } from './command';

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Write a page that runs a model in a browser, beside the dense one',
  positional: {
    name: 'model',
    description: 'A run, a model folder or a checkpoint, or hf:owner/name',
    required: true,
  },
  startsRun: false,
  groups: () => [demoGroup],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('demo: expected a model');
    const { notes, page, out, bytes } = await writeDemo(positional, given, watchOn(terminal));
    for (const note of notes) print(terminal.stderr, `${positional}: ${note}`);
    const megabytes = (bytes / 1e6).toPrecision(3);
    print(terminal.stdout, `${page}: open it in a browser (${out} is ${megabytes} MB, and needs no network)`);
  },
};
