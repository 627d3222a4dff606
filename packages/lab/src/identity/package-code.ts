import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { packageFile } from '../package-folder';
import { version } from '../version';

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  /** Files and folders that the package ships. */
  files: z.array(z.string()).default(['dist']),
  dependencies: z.record(z.string(), z.string()).default({}),
});

/** Length of the hash, in hexadecimal digits: for people to compare, and far more than versions there are. */
const DIGITS = 16;
/** Names of files that are not executed: types, source maps, words. */
const NOT_CODE = /(?:\.d\.[cm]?ts|\.map|\.md)$/;

/** Whether this program is one bundle, without the packages that it was made of. */
const isBundled = (): boolean => !existsSync(packageFile('dist', 'training.sha256'));

/**
 * The code of the folder that this module is in: where everything is bundled, all packages have this.
 * @throws {Error} when nothing has been built.
 */
async function codeOfBundle(): Promise<string> {
  const folder = dirname(fileURLToPath(import.meta.url));
  const names = (await readdir(folder)).filter((name) => /\.m?js$/.test(name)).sort();
  if (names.length === 0) throw new Error('the command line has not been built: npm run build');
  return `${version()} ${await digestOf(names.map((name) => [name, join(folder, name)]))}`;
}

/**
 * The code of an installed package: its version, and a hash of the built files that it ships and of the versions that it
 * depends on. Comments, types and documents of sources are no part of it.
 * @throws {Error} when there is no such package, or it has not been built.
 */
export async function codeOfPackage(name: string): Promise<string> {
  if (isBundled()) return codeOfBundle();
  return codeIn(rootOf(fileURLToPath(import.meta.resolve(name))));
}

/**
 * The code of this command line that trains, as the build has hashed it, and of nothing else in it.
 */
export async function codeOfTraining(): Promise<string> {
  if (isBundled()) return codeOfBundle();
  const digest = await readFile(packageFile('dist', 'training.sha256'), 'utf8');
  return `${version()} ${digest.slice(0, DIGITS)}`;
}

/** The code of the package in a folder. */
export async function codeIn(root: string): Promise<string> {
  const { name, version, files, dependencies } = manifest.parse(
    JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
  );
  const found = (await Promise.all(files.map((entry) => filesIn(join(root, entry))))).flat().sort();
  const code = found.filter((file) => !NOT_CODE.test(file));
  if (code.length === 0) throw new Error(`the package ${name} in ${root} has no built files: npm run build`);
  const named = code.map((file): [string, string] => [relative(root, file).split(sep).join('/'), file]);
  return `${version} ${await digestOf(named, JSON.stringify(Object.entries(dependencies).sort()))}`;
}

/** Hashes files together with their names. */
async function digestOf(
  files: readonly (readonly [name: string, file: string])[],
  more = '',
): Promise<string> {
  const hash = createHash('sha256').update(more);
  for (const [name, file] of files) {
    const content = createHash('sha256').update(await readFile(file));
    hash.update(JSON.stringify([name, content.digest('hex')]));
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** The folder of the package that a file belongs to. */
function rootOf(file: string): string {
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Error(`${file} belongs to no package`);
    folder = above;
  }
  return folder;
}

async function filesIn(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => undefined);
  if (entries === undefined) return [path];
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
