import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';

/**
 * Installs what package-lock.json names, unless it is there already.
 * @returns {string | undefined} what went wrong.
 */
export function installDependencies(root) {
  if (isInstalled(root)) return undefined;
  console.log('Installing dependencies with npm …');
  const installed = run('npm', ['ci', '--include=optional', '--include=dev'], { cwd: root });
  return installed.ok ? undefined : `npm ci failed:\n${installed.output.trim()}`;
}

/**
 * npm leaves a record of what it installed in node_modules/.package-lock.json. Comparing it with package-lock.json
 * by content, not by file time, survives a git checkout and leaves alone what `npm install` has already done.
 */
function isInstalled(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = packagesOf(record);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/')) return hasExecutables(root, wanted);
    const found = installed[path];
    // Optional packages are left out where they do not fit the platform.
    if (found === undefined) return Boolean(wanted.optional || wanted.devOptional);
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** An install before a workspace had its executable did not link it. */
function hasExecutables(root, { bin = {} }) {
  const file = (name) =>
    join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
  return Object.keys(bin).every((name) => existsSync(file(name)));
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
