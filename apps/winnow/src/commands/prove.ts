import { UserError } from '@winnow/core';
import { type Proof, ProofFailedError, proofGroup, proveModel } from '@winnow/lab';
import { print, watchOn } from '../terminal/terminal';
import type { Command } from './command';

export const proveCommand: Command = {
  name: 'prove',
  summary: 'Write a model as ONNX files, and prove in ONNX Runtime that they are the model',
  positional: {
    name: 'model',
    description: 'A run, a model folder or a checkpoint, or hf:owner/name',
    required: true,
  },
  startsRun: false,
  groups: () => [proofGroup],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('prove: expected a model');
    const proof = await proveModel(positional, given, watchOn(terminal));
    for (const note of proof.notes) print(terminal.stderr, `${positional}: ${note}`);
    print(terminal.stdout, proofText(proof));
    if (proof.failed.length > 0) throw new ProofFailedError(proof.failed, proof.out);
  },
};

const marks = { holds: '✓', fails: '✕', 'left out': '–' } as const;

const proofText = ({ certificate, out }: Proof): string =>
  [
    ...certificate.checks.flatMap(({ name, verdict, says }) =>
      says.map((text, at) => `${at === 0 ? `${marks[verdict]} ${name}` : ''}`.padEnd(14) + text),
    ),
    `certificate.json and certificate.html in ${out}`,
  ].join('\n');
