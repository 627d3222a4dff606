import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, disposeTree, parseOptions } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import {
  checkpointShape,
  openModel,
  pathOption,
  preprocessorFiles,
  tokenizerFiles,
  writeWhole,
} from '@winnow/lab';
import { z } from 'zod';
import { count } from '../terminal/report/format';
import { print } from '../terminal/terminal';
import type { Command } from './command';

const importOptions = z.object({
  out: pathOption('output').min(1).optional().describe('The folder to write the model to'),
  ...checkpointShape,
});
const title = 'Options of import';

export const importCommand: Command = {
  name: 'import',
  summary: 'Turn a Hugging Face, timm or open_clip checkpoint into a model folder',
  positional: { name: 'checkpoint', description: 'A folder, or a safetensors file', required: true },
  startsRun: false,
  groups: () => [{ title, schema: importOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('import: expected a checkpoint');
    const { out, ...checkpoint } = parseOptions(importOptions, given, title);
    if (out === undefined) throw new UserError('import: say with --out where the model should go');
    if (existsSync(join(out, 'structure.json')))
      throw new UserError(`${out} already holds a model: choose another folder with --out, or remove it`);
    // Weights only pass through: the engine that is always there will do.
    await startEngine('wasm');
    const opened = await openModel(positional, checkpoint);
    const { kind, model, params, classNames, notes } = opened;
    try {
      const companions = { ...(await tokenizerFiles(opened)), ...preprocessorFiles(opened.normalisation) };
      const origin = { from: positional };
      await writeWhole(out, (folder) => saveModel(folder, { model, params, classNames, origin, companions }));
    } finally {
      disposeTree(params);
    }
    for (const note of notes) print(terminal.stderr, `${positional}: ${note}`);
    print(terminal.stdout, `${kind}, ${count(model.account.parameters)} parameters, in ${out}`);
  },
};
