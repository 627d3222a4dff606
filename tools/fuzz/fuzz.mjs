/**
 * Feeds Winnow with damaged and hostile files of every kind that it reads, or kills it at random moments.
 *
 *   node tools/fuzz/fuzz.mjs [--count 10000] [--seed 1] [--only "timm config"] [--index 17] [--jobs 2] [--keep FOLDER]
 *   node tools/fuzz/fuzz.mjs --kills 100 [--seed 1] [--only train] [--jobs 2] [--keep FOLDER]
 *
 * A try is a function of the seed, its kind and its number: --only with --index repeats one. What failed is kept, as it was
 * when it failed, in --keep. Ends with 1 if there was a crash, a hang or a file outside the output folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzFiles } from './files.mjs';
import { fuzzKills } from './kills.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    kills: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    index: { type: 'string' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    keep: { type: 'string', default: join(tmpdir(), 'winnow-fuzz-failures') },
  },
});

const root = mkdtempSync(join(tmpdir(), 'winnow-fuzz-'));
const options = {
  seed: values.seed,
  only: values.only,
  jobs: Number(values.jobs),
  keep: resolve(values.keep),
  root,
  print: (line) => console.log(line),
};
try {
  const failures =
    values.kills === undefined
      ? await fuzzFiles({ ...options, count: number('count'), index: number('index') })
      : await fuzzKills({ ...options, count: number('kills') });
  process.exitCode = failures === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** A flag that is a whole number, undefined where it was not given. */
function number(name) {
  const given = values[name];
  if (given === undefined || Number.isInteger(Number(given)))
    return given === undefined ? undefined : Number(given);
  throw new Error(`--${name}: expected a whole number, got ${given}`);
}
