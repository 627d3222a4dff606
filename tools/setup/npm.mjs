import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';

/**
 * Installs what package-lock.json names, unless it is there already.
 *
 * Not with `npm ci`: the lock file leaves out optional packages of platforms that the machine which wrote it could not
 * get, and `npm ci` rejects such a file, on any platform. `npm install` installs the versions and checks the hashes of
 * the same file, adds what this platform needs, and with --no-save leaves the file as it is.
 * @returns {string | undefined} what went wrong.
 */
export function installDependencies(root) {
  if (isInstalled(root)) return undefined;
  console.log('Installing dependencies with npm …');
  const installed = run('npm', ['install', '--no-save', '--include=optional'], { cwd: root });
  return installed.ok ? undefined : `npm install failed:\n${installed.output.trim()}`;
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
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    // Optional packages are left out where they do not fit the platform.
    if (found === undefined) return Boolean(wanted.optional || wanted.devOptional);
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
