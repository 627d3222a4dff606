import { hubNameIn, hubText, isHubName } from '../hub/hub-name';
import { type HubWatch, snapshotOf } from '../hub/snapshot';
import type { GivenOptions } from '../options/group';
import { type PathOptions, pathTexts, withPaths } from '../options/path-options';

/** Where the files of a model lie. */
export interface ModelPlace {
  readonly path: string;
  /** Names of those that belong to it, where others may lie beside them. */
  readonly files?: readonly string[];
}

/**
 * Where a model lies: one of the Hub in the cache, fetched where it is not there; any other where its path says.
 * @throws {UserError} when it cannot be had from the Hub.
 */
export async function placeOfModel(pathOrName: string, watch: HubWatch = {}): Promise<ModelPlace> {
  if (!isHubName(pathOrName)) return { path: pathOrName };
  const { folder, files } = await snapshotOf(hubNameIn(pathOrName), watch);
  return { path: folder, files };
}

/**
 * A model by a name that always means the same files: one of the Hub by its commit, and it is in the cache then; any other
 * by its path.
 * @throws {UserError} when it cannot be had from the Hub.
 */
export async function pinnedModel(pathOrName: string, watch: HubWatch = {}): Promise<string> {
  if (!isHubName(pathOrName)) return pathOrName;
  const name = hubNameIn(pathOrName);
  const { commit } = await snapshotOf(name, watch);
  return hubText({ ...name, revision: commit });
}

/**
 * Options with every model of the Hub by its commit.
 * @throws {UserError} when one cannot be had from the Hub.
 */
export async function withPinnedModels(
  given: GivenOptions,
  paths: PathOptions,
  watch: HubWatch,
): Promise<GivenOptions> {
  const pinned: Record<string, string> = {};
  for (const [key, { kind, text }] of pathTexts(given, paths))
    if (kind === 'model' && isHubName(text)) pinned[key] = await pinnedModel(text, watch);
  return Object.keys(pinned).length === 0 ? given : withPaths(given, pinned);
}
