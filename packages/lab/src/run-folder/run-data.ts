import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '@winnow/core';
import { z } from 'zod';
import { identitiesOf } from '../identity/identify';
import { dataChanges } from '../identity/run-identity';
import { chosenIn } from '../options/given';
import { type PathOptions, locate } from '../options/path-options';
import { labelledFlags } from '../workload/pictures-read';
import { recordOfModel } from './record';

const recordedData = labelledFlags.extend({ data: z.string().optional() });
export type RunData = z.output<typeof recordedData>;

const pathOptions: PathOptions = new Map([
  ['data', 'dataset'],
  ['images', 'pictures'],
]);

/**
 * The data of a run, where they are now: for what goes on from its model. None where there is no run.
 * @param path The run's folder, or that of a model in it.
 * @throws {UserError} when they are gone, or are not what they were when the run began: whoever wants them all the same has to
 * name them.
 */
export async function dataOfRun(path: string): Promise<RunData> {
  const record = await recordOfModel(path);
  if (record === undefined) return {};
  const { options, identity, paths: recordedPaths = {} } = record;
  const typed = chosenIn(recordedData, options);
  if (identity === undefined || typed.data === undefined) return typed;
  const there = locate({ options, paths: recordedPaths }, pathOptions, 'recorded');
  const here = locate({ options, paths: recordedPaths }, pathOptions, 'typed');
  const [gone] = there.missing;
  if (gone !== undefined) {
    throw new UserError(
      `the run in ${path} began with ${gone.key} ${gone.typed}, which is not in ${gone.recorded} any more: say with --${gone.key} where it is now`,
    );
  }
  let first: readonly string[] | undefined;
  for (const { paths } of [there, here]) {
    const located = recordedData.parse(paths);
    if (located.data === undefined) continue;
    const found = { ...typed, ...located, data: located.data };
    const now = await identitiesOf('data', 'dataset', found.data, { ...options, ...found });
    const changes = dataChanges({ data: { data: identity.data['data'] ?? {} } }, { data: now });
    if (changes.length === 0) return found;
    first ??= changes;
  }
  throw new UserError(
    `the data of the run in ${path} are not what they were when it began (${first?.join('; ') ?? ''}): ` +
      'put them back, or name data with --data to use them as they are',
  );
}

/** The reading of labelled pictures, without where they are. */
export type Reading = Omit<RunData, 'data' | 'images'>;

/**
 * Where data that are named are those of the run: how it read them. Divided otherwise, pictures that its model was trained
 * on would be among those that it is judged by.
 * @param path The run's folder, or that of a model in it.
 * @returns undefined where there is no run, or its data are others.
 */
export async function readingOfRun(path: string, named: string): Promise<Reading | undefined> {
  const record = await recordOfModel(path);
  if (record === undefined) return undefined;
  const { options, paths: recordedPaths = {} } = record;
  const located = recordedData.parse(
    locate({ options, paths: recordedPaths }, pathOptions, 'recorded').paths,
  );
  // A pattern of shards is no path that is there: it is compared as it is written.
  const place = (of: string) => realpath(of).catch(() => resolve(of));
  const own = located.data === undefined ? undefined : await place(located.data);
  if (own === undefined || own !== (await place(named))) return undefined;
  const { data: _data, images: _images, ...reading } = chosenIn(recordedData, options);
  return reading;
}

/**
 * A line where data of a run are divided otherwise than it divided them, by what goes on from its model; nothing otherwise.
 * @param given Options of what goes on, others beside those of the data.
 */
export async function dividedOtherwiseThan(from: string, given: unknown): Promise<string[]> {
  const asked = chosenIn(recordedData, given);
  const own = asked.data === undefined ? undefined : await readingOfRun(from, asked.data);
  return own === undefined ? [] : dividedOtherwise(from, own, asked);
}

const DIVIDING = { splitShares: '--split-shares', splitSeed: '--split-seed' } as const;
const DEFAULTS = { splitShares: '70/15/15', splitSeed: 0 };

/** A line where pictures of a run are divided otherwise than it divided them; nothing otherwise. */
export function dividedOtherwise(path: string, own: Reading, asked: Reading): string[] {
  const others = (['splitShares', 'splitSeed'] as const).filter(
    (key) => asked[key] !== undefined && asked[key] !== (own[key] ?? DEFAULTS[key]),
  );
  if (others.length === 0) return [];
  const flags = others.map((key) => DIVIDING[key]).join(' and ');
  return [
    `${path} was trained with another ${flags}: pictures that it was trained on may be among those that it is judged by`,
  ];
}
