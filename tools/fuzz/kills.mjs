import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeFixtures } from './fixtures.mjs';
import { randomOf } from './random.mjs';
import { filesIn } from './sandbox.mjs';

const PROGRAM = fileURLToPath(new URL('../../apps/winnow/bin/winnow.js', import.meta.url));
/** In the environment of every process that is started here, so that those left over are found. */
const MARK = 'WINNOW_FUZZ_KILL';
const LONGEST_MS = 300_000;
/** The share of the kills that come right after something was written; the others come at any time. */
const AIMED = 0.6;

const FIXTURES = ['hugging-face', 'pictures', 'run', 'clip', 'compressed'];
const DATA = ['--data', 'pictures', '--engine', 'wasm', '--batch-size', '4', '--checkpoint-every', '2it'];

/** @type {{ name: string, args: string[], again: (args: string[], isBegun: boolean) => string[] }[]} */
const resumed = (args, isBegun) => (isBegun ? [...args, '--resume'] : args);
const scenarios = [
  {
    name: 'train',
    args: [
      'train',
      '--from',
      'hugging-face',
      ...DATA,
      '--duration',
      '12it',
      '--evaluate-every',
      '3it',
      '--out',
      'out',
    ],
    again: resumed,
  },
  {
    name: 'compress',
    args: [
      'compress',
      '--from',
      'run',
      ...DATA,
      '--method',
      'upop',
      '--search',
      '4it',
      '--retrain',
      '4it',
      '--out',
      'out',
    ],
    again: resumed,
  },
  { name: 'import', args: ['import', 'hugging-face', '--out', 'out'], again: (args) => args },
  { name: 'import towers', args: ['import', 'clip', '--out', 'out'], again: (args) => args },
  {
    name: 'export',
    args: ['export', 'run', '--format', 'hugging-face', '--out', 'out'],
    again: (args) => args,
  },
  {
    name: 'export as it is',
    args: ['export', 'compressed', '--format', 'winnow', '--out', 'out'],
    again: (args) => args,
  },
];

/**
 * Kills commands at random moments; each has to end in the same bytes when it is given again, with nothing left over and
 * nothing that looks whole and is not.
 * @returns {Promise<number>} how many did not.
 */
export async function fuzzKills({ count, seed, only, jobs, keep, root, print }) {
  const chosen = only === undefined ? scenarios : scenarios.filter(({ name }) => only.includes(name));
  if (chosen.length === 0)
    throw new Error(`--only: expected ${scenarios.map(({ name }) => name).join(', ')}`);
  const fixtures = join(root, 'fixtures');
  mkdirSync(fixtures);
  await makeFixtures(fixtures, FIXTURES);

  const rows = new Map();
  for (const scenario of chosen) {
    const folder = join(root, 'whole', scenario.name);
    const began = performance.now();
    const { code, text } = await runIn(folder, fixtures, scenario.args).ended;
    if (code !== 0) throw new Error(`winnow ${scenario.args.join(' ')} ended with ${code}: ${text}`);
    rows.set(scenario.name, {
      files: contentOf(join(folder, 'out')),
      ms: performance.now() - began,
      kills: 0,
      early: 0,
      late: 0,
      failed: 0,
    });
  }
  const waiting = Array.from({ length: count }, (_, index) => index).reverse();
  const lane = async () => {
    for (let index; (index = waiting.pop()) !== undefined;) {
      const scenario = chosen[index % chosen.length];
      const row = rows.get(scenario.name);
      const folder = join(root, `kill-${index}`);
      const { problem, moment } = await oneKill(scenario, { index, seed, folder, fixtures, whole: row });
      row.kills++;
      if (moment !== 'during') row[moment]++;
      if (problem !== undefined) {
        row.failed++;
        print(`kill ${index}: ${scenario.name}: ${problem}`);
        cpSync(folder, join(keep, `kill-${index}`), { recursive: true });
        writeFileSync(
          join(keep, `kill-${index}`, 'what.txt'),
          `winnow ${scenario.args.join(' ')}\n${problem}\n`,
        );
      }
      rmSync(folder, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  const failed = [...rows.values()].reduce((sum, row) => sum + row.failed, 0);
  for (const [name, { kills, early, late, failed: bad }] of rows)
    print(
      `${name}: ${kills} kills, ${early} before anything was written, ${late} after the end, ${bad} failures`,
    );
  print(`${count} kills, seed ${seed}: ${failed} failures`);
  return failed;
}

async function oneKill({ args, again }, { index, seed, folder, fixtures, whole }) {
  const random = randomOf(seed, 'kill', index);
  const out = join(folder, 'out');
  const mark = `${process.pid}-${index}`;
  const started = runIn(folder, fixtures, args, mark);
  await momentToKill(random, folder, whole.ms, started);
  const isOver = started.isOver();
  started.kill();
  await started.ended;
  const begun = readdirSync(folder).filter((name) => name.startsWith('out'));
  const moment = isOver
    ? 'late'
    : begun.some((name) => filesIn(join(folder, name)).length > 0)
      ? 'during'
      : 'early';

  const orphans = await processesWith(mark);
  if (orphans.length > 0) return { moment, problem: `left processes behind: ${orphans.join(', ')}` };
  const isWhole = existsSync(out) && differing(contentOf(out), whole.files).length === 0;
  if (existsSync(join(out, 'summary.json')) && !isWhole)
    return {
      moment,
      problem: `there is a summary, but: ${differing(contentOf(out), whole.files).join(', ')}`,
    };
  if (existsSync(out) && !isWhole) {
    const looked = await runIn(folder, undefined, ['inspect', 'out']).ended;
    const left = differing(contentOf(out), whole.files).filter((file) => isOfModel(file));
    if (looked.code === 0 && left.length > 0)
      return { moment, problem: `what is there opens as a model, but: ${left.join(', ')}` };
    if (looked.code === 1) return { moment, problem: `inspect crashes on what is there: ${looked.text}` };
  }
  // Nothing is left to do but to say so.
  if (isWhole) return { moment, problem: leftOver(folder) };
  const { code, text } = await runIn(folder, undefined, again(args, existsSync(join(out, 'config.json'))))
    .ended;
  if (code !== 0) return { moment, problem: `given again it ends with ${code}: ${text}` };
  const different = differing(contentOf(out), whole.files);
  const problem = different.length === 0 ? leftOver(folder) : `ends in other files: ${different.join(', ')}`;
  return { moment, problem };
}

/** Lists what lies beside the output that was not there before. */
function leftOver(folder) {
  const strange = readdirSync(folder).filter((name) => name !== 'out' && !FIXTURES.includes(name));
  return strange.length === 0 ? undefined : `left beside the output: ${strange.join(', ')}`;
}

/** Tells the files of a run folder that `inspect` shows; the log of a run that was killed has fewer lines. */
const isOfModel = (file) => !/metrics|summary|checkpoints|config\.json|run\.lock/.test(file);

/** Waits for a time that is drawn, or until something is written for the n-th time. */
async function momentToKill(random, folder, ms, { ended }) {
  if (!random.chance(AIMED)) {
    await Promise.race([ended, delay(random.share() * 1.05 * ms)]);
    return;
  }
  let left = 1 + random.below(40);
  await Promise.race([
    ended,
    new Promise((settle) => {
      const watcher = watch(folder, { recursive: true }, () => {
        if (--left === 0) settle();
      });
      void ended.then(() => watcher.close());
    }),
  ]);
  await delay(random.below(4));
}

/** Starts a command in a folder, into which fixtures are copied first. */
function runIn(folder, fixtures, args, mark = '') {
  if (fixtures !== undefined) cpSync(fixtures, folder, { recursive: true });
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, [MARK]: mark },
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  let isOver = false;
  child.stderr.on('data', (chunk) => (text = (text + chunk).slice(-4000)));
  const ended = new Promise((settle) => {
    child.once('close', (code, signal) => {
      isOver = true;
      settle({ code: code ?? signal, text });
    });
  });
  return { ended, isOver: () => isOver, kill: () => child.kill('SIGKILL') };
}

/** The processes that carry a mark in their environment; a moment is left for them to end. */
async function processesWith(mark) {
  if (!existsSync('/proc')) return [];
  const marked = () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return (
          /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}\0`)
        );
      } catch {
        return false;
      }
    });
  for (let tries = 0; tries < 20 && marked().length > 0; tries++) await delay(100);
  return marked();
}

/**
 * Every file of an output with its bytes, without what tells of time, and of the folder in which the command was given;
 * checkpoints hold times under their checksum: they are compared by their names.
 */
function contentOf(out) {
  const place = JSON.stringify(dirname(out)).slice(1, -1);
  return new Map(filesIn(out).map((name) => [name, comparable(name, readFileSync(join(out, name)), place)]));
}

function comparable(name, bytes, place) {
  if (name.startsWith('checkpoints')) return '';
  if (!/\.jsonl?$/.test(name)) return bytes.toString('base64');
  return timeless(bytes.toString('utf8')).replaceAll(place, '.');
}

const TIMES = /"(\w*(?:Ms|Seconds|PerSecond)|peakMemoryBytes|time|wall\w*)":\s*(?:[-\d.e+]+|null)/g;
const timeless = (text) => text.replaceAll(TIMES, '"$1": 0');

const differing = (found, whole) =>
  [...new Set([...found.keys(), ...whole.keys()])].filter((name) => found.get(name) !== whole.get(name));
