import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { child } from './child.mjs';

const pairs = ['--task', 'retrieval', '--data', 'emoji-names'];
const short = ['--retrain', '20it', '--precision', 'bf16'];

/** One short run of the command line for each family of methods, and the dense models that they begin with. */
const runs = [
  ['train', '--duration', '40it', '--out', 'dense'],
  ['compress', '--from', 'dense', '--method', 'upop', '--search', '20it', ...short, '--out', 'upop'],
  [
    'compress',
    '--from',
    'dense',
    '--method',
    'obs',
    '--reconstruct',
    'units',
    '--retrain',
    '0it',
    '--out',
    'obs',
  ],
  ['ticket', 'find', '--from', 'dense', '--to', '20%', '--round', '10it', '--out', 'ticket'],
  ['train', ...pairs, '--duration', '40it', '--out', 'pairs'],
  [
    'compress',
    '--from',
    'pairs',
    ...pairs,
    '--method',
    'bwsp',
    '--search',
    '20it',
    ...short,
    '--out',
    'bwsp',
  ],
];

export async function compress({ folder, device, log, signal }) {
  const cwd = join(folder, 'runs');
  // A run that is there already would only be gone on with.
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  const finished = [];
  for (const args of runs) {
    log(`$ winnow ${args.join(' ')}\n`);
    const result = await child(
      join(folder, 'js', 'winnow.mjs'),
      [...args, '--engine', 'torch', '--device', device],
      {
        log,
        signal,
        cwd,
      },
    );
    finished.push({ command: args.join(' '), ...result });
  }
  return { ok: finished.every(({ ok }) => ok), runs: finished };
}
