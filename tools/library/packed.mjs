import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Our packages that a package needs, itself included: name → folder. */
function ours(root, name, found = new Map()) {
  if (found.has(name)) return found;
  const folder = join(root, 'packages', name.replace('@winnow/', ''));
  found.set(name, folder);
  const { dependencies = {} } = manifestIn(folder);
  for (const each of Object.keys(dependencies)) if (each.startsWith('@winnow/')) ours(root, each, found);
  return found;
}

const manifestIn = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/**
 * Installs a package of ours and those that it needs from their tarballs, as `npm pack` makes them, into the node_modules
 * of an empty folder. Packages of others are those of the repository, and of them only those that a tarball asks for.
 */
export async function installPacked(root, name, folder) {
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  const packages = [...ours(root, name)];
  const workspaces = packages.map(([, path]) => `--workspace=${path}`);
  await run(
    'npm',
    ['pack', '--ignore-scripts', '--offline', `--pack-destination=${tarballs}`, ...workspaces],
    {
      cwd: root,
    },
  );
  const files = readdirSync(tarballs);
  const modules = join(folder, 'node_modules');
  for (const [own] of packages) {
    const file = files.find(
      (each) => each.startsWith(`${own.replace('@', '').replace('/', '-')}-`) && /-\d/.test(each),
    );
    const target = join(modules, own);
    mkdirSync(target, { recursive: true });
    await run('tar', ['-xzf', join(tarballs, file), '--strip-components=1', '-C', target]);
    const { dependencies = {}, optionalDependencies = {} } = manifestIn(target);
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!each.startsWith('@winnow/')) link(join(root, 'node_modules', each), join(modules, each));
    }
  }
}

/** An optional package that is not installed here is not there either. */
function link(from, to) {
  if (!existsSync(from) || existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to, 'junction');
}
