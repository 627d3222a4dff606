import { UserError } from '@winnow/core';
import { importCheckpoint, importGroup } from '@winnow/lab';
import { count } from '../terminal/report/format';
import { print, watchOn } from '../terminal/terminal';
import type { Command } from './command';

export const importCommand: Command = {
  name: 'import',
  summary: 'Turn a Hugging Face, timm or open_clip checkpoint into a model folder',
  positional: {
    name: 'checkpoint',
    description: 'A folder, a safetensors file, or hf:owner/name',
    required: true,
  },
  startsRun: false,
  groups: () => [importGroup],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('import: expected a checkpoint');
    const { kind, notes, parameters, out } = await importCheckpoint(positional, given, watchOn(terminal));
    for (const note of notes) print(terminal.stderr, `${positional}: ${note}`);
    print(terminal.stdout, `${kind}, ${count(parameters)} parameters, in ${out}`);
  },
};
