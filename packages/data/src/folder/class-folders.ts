import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DataError } from '../failure/data-error';

const READ_EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);
/** Pictures all the same: leaving them out silently would change the dataset. */
const UNREAD_EXTENSIONS = new Set(['.bmp', '.heic', '.heif', '.jp2', '.jxl', '.ppm', '.psd']);

/** The picture files of one class, in order of their names. */
export interface ClassFolder {
  readonly name: string;
  readonly path: string;
  readonly files: readonly string[];
}

type EntryKind = 'folder' | 'file' | 'other';

/** What lies at `path`, behind symbolic links; undefined when there is nothing. */
export async function kindAt(path: string): Promise<EntryKind | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw cause;
  }
}

/** The visible entries of a folder with what they are, in an order that does not depend on file system or language. */
async function entriesOf(path: string): Promise<{ name: string; path: string; kind: EntryKind }[]> {
  const found = await readdir(path, { withFileTypes: true });
  const entries = await Promise.all(
    found
      .filter((entry) => !entry.name.startsWith('.'))
      .map(async (entry) => {
        const at = join(path, entry.name);
        const known: EntryKind = entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : 'other';
        const kind = entry.isSymbolicLink() ? await kindAt(at) : known;
        if (kind === undefined) {
          throw new DataError({
            expected: `something behind the symbolic link ${at}`,
            found: 'nothing there',
            advice: 'Mend the link or remove it.',
          });
        }
        return { name: entry.name, path: at, kind };
      }),
  );
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function picturesIn(path: string): Promise<string[]> {
  const files = (await entriesOf(path)).filter(({ kind }) => kind === 'file');
  const unread = files.find(({ name }) => UNREAD_EXTENSIONS.has(extname(name).toLowerCase()));
  if (unread !== undefined) {
    throw new DataError({
      expected: `pictures in a format that can be read (${[...READ_EXTENSIONS].join(', ')})`,
      found: unread.path,
      advice: 'Convert it, for example to PNG, or remove it.',
    });
  }
  return files
    .filter(({ name }) => READ_EXTENSIONS.has(extname(name).toLowerCase()))
    .map((entry) => entry.path);
}

/**
 * The class folders of one split, sorted by name. Hidden entries, files beside the folders, and files that are not
 * pictures by their extension are passed over.
 * @throws {DataError} when there is no class folder, or a broken link or a picture of an unreadable format in one.
 */
export async function classFolders(splitPath: string): Promise<ClassFolder[]> {
  const folders = (await entriesOf(splitPath)).filter(({ kind }) => kind === 'folder');
  if (folders.length === 0) {
    throw new DataError({
      expected: `one folder of pictures per class in ${splitPath}`,
      found: 'no folder',
      advice: 'Put the pictures of each class into a folder of the name of the class.',
    });
  }
  return Promise.all(folders.map(async ({ name, path }) => ({ name, path, files: await picturesIn(path) })));
}
