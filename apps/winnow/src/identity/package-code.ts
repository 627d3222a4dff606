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
  /** What the package ships. */
  files: z.array(z.string()).default(['dist']),
  dependencies: z.record(z.string(), z.string()).default({}),
});

/** Of the hash, in hexadecimal digits: for people to compare, and far more than versions there are. */
const DIGITS = 16;
/** What is not executed: types, source maps, words. */
const NOT_CODE = /(?:\.d\.[cm]?ts|\.map|\.md)$/;

/**
 * The code of an installed package: its version, and a hash of the built files that it ships and of the versions that it
 * depends on. Comments, types and documents of sources are no part of it.
 * @throws {Error} when there is no such package, or it has not been built.
 */
export const codeOfPackage = (name: string): Promise<string> =>
  codeIn(rootOf(fileURLToPath(import.meta.resolve(name))));

/**
 * The code of this command line that trains, as the build has hashed it: its version, and that of nothing else in it.
 * @throws {Error} when it has not been built.
 */
export async function codeOfTraining(): Promise<string> {
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
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(dependencies).sort()));
  for (const file of code) {
    const content = createHash('sha256').update(await readFile(file));
    hash.update(JSON.stringify([relative(root, file).split(sep).join('/'), content.digest('hex')]));
  }
  return `${version} ${hash.digest('hex').slice(0, DIGITS)}`;
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
