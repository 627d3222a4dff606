import { UserError } from '@winnow/core';
import { type ExportedModel, exportGroup, exportModel } from '@winnow/lab';
import { print, watchOn } from '../terminal/terminal';
import type { Command } from './command';

export const exportCommand: Command = {
  name: 'export',
  summary: 'Write a model for other programs',
  positional: {
    name: 'model',
    description: 'A run, a model folder or a checkpoint, or hf:owner/name',
    required: true,
  },
  startsRun: false,
  groups: () => [exportGroup],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('export: expected a model');
    const exported = await exportModel(positional, given, watchOn(terminal));
    for (const note of exported.notes) print(terminal.stderr, `${positional}: ${note}`);
    if (exported.reason !== undefined) print(terminal.stdout, exported.reason);
    print(terminal.stdout, exportedLine(exported));
  },
};

function exportedLine({ layout, out, files = [] }: ExportedModel): string {
  switch (layout) {
    case 'our own':
      return `model.safetensors and structure.json in our own layout, in ${out}`;
    case 'Hugging Face':
      return `model.safetensors and config.json in Hugging Face's layout, in ${out}`;
    case 'ONNX':
      return `${files.join(' and ')} for ONNX Runtime, in ${out}`;
    case 'PyTorch':
      return `${files.join(' and ')} for PyTorch, in ${out}`;
    default:
      return layout satisfies never;
  }
}
