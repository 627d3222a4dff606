import { readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { UserError, denseConfigOf, disposeTree, parseOptions, familyOf } from '@winnow/core';
import { imageNetNormalisation } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import {
  type Companions,
  FormatError,
  PREPROCESSOR_FILE,
  exportHuggingFace,
  imageProcessorConfig,
  saveModel,
} from '@winnow/formats';
import {
  type OpenedModel,
  openModel,
  pathOption,
  tokenizerConfig,
  tokenizerFiles,
  writeWhole,
} from '@winnow/lab';
import { z } from 'zod';
import { print } from '../terminal/terminal';
import type { Command } from './command';

const formats = ['safetensors', 'hugging-face', 'winnow'] as const;

const exportOptions = z.object({
  format: z
    .enum(formats)
    .default('safetensors')
    .describe("safetensors: Hugging Face's layout where the model can be said in it, else our own"),
  out: pathOption('output').min(1).optional().describe('The folder to write to'),
});
const title = 'Options of export';

export const exportCommand: Command = {
  name: 'export',
  summary: 'Write a model for other programs',
  positional: { name: 'model', description: 'A run, a model folder or a checkpoint', required: true },
  startsRun: false,
  groups: () => [{ title, schema: exportOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('export: expected a model');
    const { format, out } = parseOptions(exportOptions, given, title);
    if (out === undefined) throw new UserError('export: say with --out where the model should go');
    if (existsSync(out) && (await readdir(out)).length > 0)
      throw new UserError(`${out} is not empty: choose another folder with --out`);
    // Weights only pass through: the engine that is always there will do.
    await startEngine('wasm');
    const opened = await openModel(positional);
    try {
      const companions = { ...(await tokenizerOf(opened)), ...preprocessorOf(opened) };
      const lines = await writeWhole(out, (folder) => write({ folder, out }, format, opened, companions));
      for (const line of lines) print(terminal.stdout, line);
    } finally {
      disposeTree(opened.params);
    }
  },
};

/** Other programs do not know how our data prepares pictures: it has to be said. Nothing for a model of texts. */
function preprocessorOf({ model, normalisation = imageNetNormalisation }: OpenedModel): Companions {
  const config = denseConfigOf(model);
  const { vision } = familyOf(config).towers(config);
  return vision === undefined
    ? {}
    : { [PREPROCESSOR_FILE]: imageProcessorConfig(normalisation, vision.imageSize) };
}

/** The tokenizer beside the model, with a configuration of it for `transformers` where none is there. */
async function tokenizerOf(opened: OpenedModel): Promise<Companions> {
  const { tokenizerPath, model } = opened;
  const config = denseConfigOf(model);
  const { text } = familyOf(config).towers(config);
  if (tokenizerPath === undefined || text === undefined) return {};
  return { ...(await tokenizerConfig(tokenizerPath, text.context)), ...(await tokenizerFiles(opened)) };
}

/** Writes the model into a folder that will be `out`, and says in which layout. */
async function write(
  { folder, out }: { readonly folder: string; readonly out: string },
  format: (typeof formats)[number],
  opened: OpenedModel,
  companions: Companions,
): Promise<string[]> {
  const ours = async (): Promise<string> => {
    const { model, params, classNames, decision } = opened;
    const cut = decision === undefined ? {} : { decision };
    await saveModel(folder, { model, params, classNames, ...cut, companions });
    return `model.safetensors and structure.json in our own layout, in ${out}`;
  };
  const theirs = async (): Promise<string> => {
    await exportHuggingFace(folder, { ...opened, companions });
    return `model.safetensors and config.json in Hugging Face's layout, in ${out}`;
  };
  switch (format) {
    case 'winnow':
      return [await ours()];
    case 'hugging-face':
      return [await theirs()];
    case 'safetensors':
      try {
        return [await theirs()];
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        return [error.message, await ours()];
      }
    default:
      return format satisfies never;
  }
}
