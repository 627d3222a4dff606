import { changeOne, differences, fillCase, listing } from './sandbox.mjs';
import { randomOf } from './random.mjs';
import { winnow } from './winnow.mjs';

/** Exit codes of a command that did its work, refused its input, or was asked to stop. */
const FINE = new Set([0, 2, 130]);

/**
 * @typedef {object} Outcome
 * @property {'accepted' | 'refused' | 'crash' | 'outside'} verdict `outside`: something was written where nothing should be
 * @property {string} command
 * @property {string} file the one that was changed
 * @property {string} text what the command said
 * @property {number} cpuMs processor time, all threads together
 */

/**
 * Does one try: a function of the seed and the index. A negative index changes nothing: −1 is the first command on whole
 * files, which has to be accepted.
 * @returns {Promise<Outcome>}
 */
export async function attempt(kind, { index, seed, fixtures, sandbox }) {
  const random = randomOf(seed, kind.name, index);
  const outputs = ['out', ...(kind.outputs ?? [])];
  process.chdir(sandbox.root);
  fillCase(sandbox, fixtures, kind.fixtures, outputs);
  const file = index < 0 ? undefined : changeOne(random, sandbox, kind);
  const before = listing(sandbox, outputs);
  process.chdir(sandbox.case);
  const args = index < 0 ? kind.commands?.[-1 - index] : random.pick(kind.commands ?? [undefined]);
  const command = args === undefined ? kind.read.name : `winnow ${args.join(' ')}`;
  const used = process.cpuUsage();
  const { code, text } = await (args === undefined ? byReading(kind.read) : byCommand(args, kind));
  const outside = differences(before, listing(sandbox, outputs));
  const { user, system } = process.cpuUsage(used);
  const outcome = { command, file, text, cpuMs: (user + system) / 1000 };
  if (!FINE.has(code) || (index < 0 && code === 2)) return { ...outcome, verdict: 'crash' };
  if (outside.length > 0) return { ...outcome, verdict: 'outside', text: `changed: ${outside.join(', ')}` };
  return { ...outcome, verdict: code === 2 ? 'refused' : 'accepted' };
}

async function byCommand(args, { stopAfter }) {
  const { code, stderr } = await winnow(args, { stopAfter });
  return { code, text: stderr };
}

async function byReading(read) {
  try {
    await read();
    return { code: 0, text: '' };
  } catch (error) {
    return { code: error.exitCode ?? 1, text: error.stack ?? String(error) };
  }
}
