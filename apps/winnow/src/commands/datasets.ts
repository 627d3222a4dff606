import { embeddedDatasets } from '@winnow/data';
import { print } from '../terminal/terminal';
import type { Command } from './command';

export const datasetsCommand: Command = {
  name: 'datasets',
  summary: 'The datasets that are there by name',
  startsRun: false,
  groups: () => [],
  run: ({ terminal }) => {
    const width = Math.max(...embeddedDatasets.map(({ name }) => name.length));
    for (const { name, description } of embeddedDatasets) {
      print(terminal.stdout, `${name.padEnd(width)}  ${description}`);
    }
    print(
      terminal.stdout,
      `${'a folder'.padEnd(width)}  train/<class>/*, test/<class>/* and, if there is one, validation/<class>/*`,
    );
    return Promise.resolve();
  },
};
