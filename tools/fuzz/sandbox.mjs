import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join, relative } from 'node:path';

/**
 * A place for tries: the folder `case` lies so deep that paths which lead upwards still end inside, and `canary` is a
 * folder that nothing should touch.
 */
export function makeSandbox(root) {
  const canary = join(root, 'canary');
  mkdirSync(canary, { recursive: true });
  writeFileSync(join(canary, 'secret.png'), 'secret');
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(canary, 'fifo')]);
  return { root, canary, case: join(root, 'a', 'b', 'c', 'd', 'case') };
}

export function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Puts fixtures into an empty case folder: copies of those that a command may write into, links to the files of the others.
 */
export function fillCase(sandbox, fixtures, names, written) {
  rmSync(sandbox.case, { recursive: true, force: true });
  mkdirSync(sandbox.case, { recursive: true });
  for (const name of names)
    place(join(fixtures, name), join(sandbox.case, name), written.includes(name) ? copyFileSync : linkSync);
}

function place(from, to, placeFile) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) place(source, target, placeFile);
    else placeFile(source, target);
  }
}

/** Puts other things than a changed file where one is expected. */
const replacements = [
  (file) => mkdirSync(file),
  (file) => symlinkSync(file, file),
  (file, canary) => symlinkSync(join(canary, 'nothing'), file),
  (file, canary) => symlinkSync(join(canary, 'fifo'), file),
  (file) => symlinkSync('/dev/zero', file),
  () => undefined,
];
const REPLACED = 0.04;

/** Changes one file of a case. @returns {string} its path there. */
export function changeOne(random, sandbox, { target, mutate, isFile = true }) {
  const candidates = filesIn(sandbox.case).filter((file) => target.test(file));
  const name = random.pick(candidates);
  const file = join(sandbox.case, name);
  const bytes = readFileSync(file);
  // Not in place: it may be a link to the fixture.
  rmSync(file);
  if (isFile && random.chance(REPLACED)) random.pick(replacements)(file, sandbox.canary);
  else writeFileSync(file, mutate(random, bytes, sandbox.canary));
  return name;
}

/** Where XDG_CACHE_HOME and TMPDIR of a worker point. */
export const scratch = ['cache', 'tmp'];

/** Everything in the sandbox with its size and time, but for the folders that a try may write. */
export function listing(sandbox, outputs) {
  const excluded = new Set([
    ...outputs.map((name) => join(sandbox.case, name)),
    ...scratch.map((name) => join(sandbox.root, name)),
  ]);
  const found = new Map();
  const visit = (folder) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (excluded.has(path)) continue;
      const stats = lstatSync(path, { bigint: true });
      if (stats.isDirectory()) {
        found.set(path, 'folder');
        visit(path);
      } else found.set(path, `${stats.size} ${stats.mtimeNs} ${stats.ino}`);
    }
  };
  visit(sandbox.root);
  return found;
}

/** Lists what appeared, changed or went between two listings. */
export function differences(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}
