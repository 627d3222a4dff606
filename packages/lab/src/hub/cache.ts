import { copyFile, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { temporaryName, writeAtomically } from '@winnow/formats';
import { COMPANIONS, CONFIGURATIONS, WEIGHTS, isShardIndex, shardsIn } from './files';
import { type HubName, isCommit } from './hub-name';

/** The files that the cache has of a commit. */
export interface CachedFiles {
  /** Names of the files that a model is read by, sorted; undefined when it cannot be read by them. */
  readonly files: readonly string[] | undefined;
  /** Whether it is known of every file that a model may be read by whether the Hub has it. */
  readonly isWhole: boolean;
}

/**
 * The folder of one model in the cache that programs on the Hub share, in the layout of `huggingface_hub` (its page
 * "Understand caching"): `blobs` by hash, `snapshots/<commit>` with links to them, `refs/<branch>` with commits, and
 * `.no_exist/<commit>` with empty files for what is known not to be there.
 */
export interface CachedModel {
  readonly folder: string;
  snapshot(commit: string): string;
  blob(hash: string): string;
  /** The commit that a branch or tag had last. */
  commitOf(revision: string): Promise<string | undefined>;
  remember(revision: string, commit: string): Promise<void>;
  look(commit: string): Promise<CachedFiles>;
  /** Gives a blob its name in a snapshot. */
  link(hash: string, commit: string, name: string): Promise<void>;
  /** Takes note that a commit does not have these files. */
  rememberMissing(commit: string, names: readonly string[]): Promise<void>;
}

export function cachedModel(cacheFolder: string, { repository }: Pick<HubName, 'repository'>): CachedModel {
  const folder = join(cacheFolder, ['models', ...repository.split('/')].join('--'));
  const snapshot = (commit: string) => join(folder, 'snapshots', commit);
  const missing = (commit: string, name: string) => join(folder, '.no_exist', commit, name);
  const reference = (revision: string) => join(folder, 'refs', ...revision.split('/'));
  const blob = (hash: string) => join(folder, 'blobs', hash);
  return {
    folder,
    snapshot,
    blob,
    commitOf: async (revision) => {
      if (isCommit(revision)) return revision;
      const text = await readFile(reference(revision), 'utf8').catch(() => '');
      return isCommit(text.trim()) ? text.trim() : undefined;
    },
    remember: async (revision, commit) => {
      await mkdir(dirname(reference(revision)), { recursive: true });
      await writeAtomically(reference(revision), commit);
    },
    look: async (commit) => {
      const known = async (name: string) =>
        (await isFile(join(snapshot(commit), name)))
          ? 'there'
          : (await isFile(missing(commit, name)))
            ? 'missing'
            : 'unknown';
      const states = new Map<string, 'there' | 'missing' | 'unknown'>();
      for (const name of [...COMPANIONS, ...WEIGHTS]) states.set(name, await known(name));
      const weights = WEIGHTS.find((name) => states.get(name) === 'there');
      const companions = COMPANIONS.filter((name) => states.get(name) === 'there');
      if (weights === undefined || !companions.some((name) => CONFIGURATIONS.includes(name)))
        return { files: undefined, isWhole: false };
      const shards = isShardIndex(weights) ? await shardsIn(join(snapshot(commit), weights)) : [];
      for (const name of shards)
        if (!(await isFile(join(snapshot(commit), name)))) return { files: undefined, isWhole: false };
      const looked = [...COMPANIONS, ...WEIGHTS.slice(0, WEIGHTS.indexOf(weights))];
      return {
        files: [...companions, weights, ...shards].sort(),
        isWhole: looked.every((name) => states.get(name) !== 'unknown'),
      };
    },
    link: async (hash, commit, name) => {
      const pointer = join(snapshot(commit), name);
      await mkdir(dirname(pointer), { recursive: true });
      const temporary = temporaryName(pointer);
      try {
        await symlink(relative(dirname(pointer), blob(hash)), temporary).catch(async (error: unknown) => {
          // Windows lets few users make links.
          if (process.platform !== 'win32') throw error;
          await copyFile(blob(hash), temporary);
        });
        await rename(temporary, pointer);
      } finally {
        await rm(temporary, { force: true });
      }
    },
    rememberMissing: async (commit, names) => {
      for (const name of names) {
        await mkdir(dirname(missing(commit, name)), { recursive: true });
        await writeAtomically(missing(commit, name), '');
      }
    },
  };
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
