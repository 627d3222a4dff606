import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@winnow/core';
import { systemCode } from '@winnow/formats';
import { bytesMissing, fetchBlob, hashOf, isThere } from './blob';
import { type CachedModel, cachedModel } from './cache';
import {
  COMPANIONS,
  type HubFile,
  WEIGHTS,
  chosenFrom,
  isShardIndex,
  shardsFrom,
  shardsIn,
  sizeOf,
} from './files';
import type { Asking } from './hub-fetch';
import { type HubName, hubText, isCommit } from './hub-name';
import { commitOnHub, filesOnHub } from './listing';
import { type Environment, type HubSetting, hubSetting } from './setting';

/** Whoever looks on while files come, and may stop it. */
export interface HubWatch {
  /** Told a line at a time. */
  note?(line: string): void;
  readonly signal?: AbortSignal | undefined;
  readonly environment?: Environment;
}

/** A commit of a model in the cache. */
export interface Snapshot {
  readonly commit: string;
  readonly folder: string;
  /** Names of the files in it that a model is read by, sorted. */
  readonly files: readonly string[];
}

/** Left free on the disk. */
const SPARE_BYTES = 2 ** 26;
const MEGABYTE = 1e6;
const BETWEEN_NOTES_MS = 5000;

/**
 * A model of the Hub in the cache, fetched where it is not there: only the files that a model is read by. A commit that is
 * there whole takes no network.
 * @throws {UserError} in one line, when it cannot be had. @throws {InterruptedError} when the signal asks for it.
 */
export async function snapshotOf(
  name: HubName,
  { note = () => undefined, signal, environment = process.env }: HubWatch = {},
): Promise<Snapshot> {
  const setting = hubSetting(environment);
  const cache = cachedModel(setting.cacheFolder, name);
  if (setting.isOffline) return cachedOnly(name, cache);
  const asking: Asking = { ...setting, name, signal };
  const commit = isCommit(name.revision) ? name.revision : await commitOnHub(asking);
  const before = await cache.look(commit);
  try {
    if (!before.isWhole) await fetchAll({ commit, cache, asking, note, setting });
    if (commit !== name.revision) await cache.remember(name.revision, commit);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new UserError(
      `${hubText(name)}: cannot write into ${cache.folder} (${code}): name another folder in HF_HUB_CACHE`,
    );
  }
  const { files } = await cache.look(commit);
  if (files !== undefined) return { commit, folder: cache.snapshot(commit), files };
  throw new UserError(
    `${hubText(name)}: expected a configuration (config.json) beside the weights, got none`,
  );
}

async function cachedOnly(name: HubName, cache: CachedModel): Promise<Snapshot> {
  const commit = await cache.commitOf(name.revision);
  const { files } = commit === undefined ? { files: undefined } : await cache.look(commit);
  if (commit !== undefined && files !== undefined) return { commit, folder: cache.snapshot(commit), files };
  throw new UserError(
    `${hubText(name)} is not whole in the cache ${cache.folder}, and HF_HUB_OFFLINE keeps the network out: unset it to fetch the model`,
  );
}

interface Fetching {
  readonly commit: string;
  readonly cache: CachedModel;
  readonly asking: Asking;
  readonly setting: HubSetting;
  note(line: string): void;
}

/** Weights come last: where they are, everything else is. */
async function fetchAll(fetching: Fetching): Promise<void> {
  const { commit, cache, asking } = fetching;
  const { name } = asking;
  const listing = await filesOnHub(commit, asking);
  const { files, weights } = chosenFrom(listing, name);
  const listed = new Set(listing.map(({ path }) => path));
  if (!isShardIndex(weights.path)) {
    await fetchFiles([...files, weights], fetching);
  } else {
    // The index has to be read before it is known which weights there are; it gets its name once they are there.
    await fetchContents([weights], fetching);
    const shards = shardsFrom(await shardsIn(cache.blob(hashOf(weights))), listing, name);
    await fetchFiles([...files, ...shards, weights], fetching);
  }
  await cache.rememberMissing(
    commit,
    [...COMPANIONS, ...WEIGHTS].filter((path) => !listed.has(path)),
  );
}

async function fetchFiles(files: readonly HubFile[], fetching: Fetching): Promise<void> {
  const { cache, commit } = fetching;
  await fetchContents(files, fetching);
  for (const file of files) await cache.link(hashOf(file), commit, file.path);
}

async function fetchContents(files: readonly HubFile[], fetching: Fetching): Promise<void> {
  const { cache, commit, asking, note } = fetching;
  const missing: HubFile[] = [];
  let all = 0;
  for (const file of files) {
    const path = cache.blob(hashOf(file));
    if (await isThere(file, path)) continue;
    missing.push(file);
    all += await bytesMissing(file, path);
  }
  await checkRoom(all, fetching);
  const label = `${hubText(asking.name)}`;
  if (all > 0)
    note(
      `${label}: fetching ${megabytes(all)} (${missing.map(({ path }) => path).join(', ')}) into ${cache.folder}`,
    );
  for (const file of missing) {
    let saidMs = performance.now();
    await fetchBlob(
      {
        file,
        commit,
        path: cache.blob(hashOf(file)),
        note,
        progress: (bytes) => {
          if (performance.now() - saidMs < BETWEEN_NOTES_MS) return;
          saidMs = performance.now();
          note(`${label}: ${file.path}: ${megabytes(bytes)} of ${megabytes(sizeOf(file))}`);
        },
      },
      asking,
    );
  }
}

/** @throws {UserError} when the disk has no room for what is to come. */
async function checkRoom(bytes: number, { cache, asking }: Fetching): Promise<void> {
  await mkdir(join(cache.folder, 'blobs'), { recursive: true });
  const { bavail, bsize } = await statfs(cache.folder);
  const free = bavail * bsize - SPARE_BYTES;
  if (bytes <= free) return;
  throw new UserError(
    `${hubText(asking.name)}: its files take ${megabytes(bytes)} more, and ${cache.folder} has room for ${megabytes(Math.max(0, free))}: make room, or name another folder in HF_HUB_CACHE`,
  );
}

const megabytes = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(1)} MB`;
