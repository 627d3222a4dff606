import { type Json, canonicalJson, toJson } from '@winnow/core';
import { isDataAt } from '@winnow/data';
import { z } from 'zod';
import { isHubName } from '../hub/hub-name';
import { fieldsOf } from './fields';
import type { GivenOptions, OptionGroup } from './group';
import { type PathKind, absolutePaths, homeExpanded, mapPaths, pathsIn } from './path';

/** Options that name what a run works on by paths, by dotted key: `data`, `dense.tokenizer`. */
export type PathOptions = ReadonlyMap<string, PathKind>;

/** @param which All, or only those that a run works on: it does not depend on where it is kept. */
export function pathOptionsOf(
  groups: readonly OptionGroup[],
  which: 'all' | 'worked on' = 'worked on',
): PathOptions {
  return new Map(
    groups.flatMap(({ key: group, schema }) =>
      fieldsOf(schema).flatMap(({ key, path }): [string, PathKind][] =>
        path === undefined || (path === 'output' && which !== 'all')
          ? []
          : [[group === undefined ? key : `${group}.${key}`, path]],
      ),
    ),
  );
}

/** Options as they were given, with the home folder for ~/ in their paths; nothing else is looked at. */
export function homeExpandedIn(given: GivenOptions, groups: readonly OptionGroup[]): GivenOptions {
  const paths = pathOptionsOf(groups, 'all');
  const expanded = (values: GivenOptions, prefix: string): GivenOptions =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const kind = paths.get(prefix + key);
        if (kind !== undefined && typeof value === 'string')
          return [key, mapPaths(kind, value, homeExpanded)];
        const nested = group.safeParse(value);
        return [key, prefix === '' && nested.success ? expanded(nested.data, `${key}.`) : value];
      }),
    );
  return expanded(given, '');
}

const group = z.record(z.string(), z.unknown());

/** The options without those that hold paths: what is left does not depend on where anything lies. */
export const withoutPaths = (options: GivenOptions, paths: PathOptions): Record<string, Json> =>
  exchanged(options, (key, value) => (paths.has(key) ? undefined : value));

/** The options with other paths, by dotted key. */
export const withPaths = (
  options: GivenOptions,
  values: Readonly<Record<string, string>>,
): Record<string, Json> => exchanged(options, (key, value) => values[key] ?? value);

/** Relative paths in the options, by dotted key, from the root of the file system on. */
export function absolutePathsIn(options: GivenOptions, paths: PathOptions): Record<string, string> {
  return Object.fromEntries(
    [...pathTexts(options, paths)].flatMap(([key, { kind, text }]): [string, string][] => {
      const absolute = absolutePaths(kind, text);
      return absolute === text ? [] : [[key, absolute]];
    }),
  );
}

/** The options of a run, and where the paths among them led. */
export interface RecordedPaths {
  readonly options: GivenOptions;
  /** From the root of the file system on. */
  readonly paths?: Readonly<Record<string, string>>;
}

/** The things that a run works on, as they are found now. */
export interface Located {
  /** By dotted key. */
  readonly paths: Readonly<Record<string, string>>;
  /** Those that are neither where they were nor where they were typed, with their dotted keys. */
  readonly missing: readonly { readonly key: string; readonly typed: string; readonly recorded: string }[];
}

/**
 * Looks for what a run works on: where it was, and as it was typed, from the working directory on.
 * @param first Which of the two is taken where both are there.
 */
export function locate(
  { options, paths: known = {} }: RecordedPaths,
  paths: PathOptions,
  first: 'recorded' | 'typed',
): Located {
  const found: Record<string, string> = {};
  const missing: { key: string; typed: string; recorded: string }[] = [];
  for (const [key, { kind, text }] of pathTexts(options, paths)) {
    const before = known[key];
    // A model of the Hub has no place here; what is recorded is its commit.
    if (kind === 'model' && isHubName(text)) {
      found[key] = first === 'recorded' && before !== undefined ? before : text;
      continue;
    }
    const recorded = before === undefined ? [] : pathsIn(kind, before);
    let place = 0;
    found[key] = mapPaths(kind, text, (typed) => {
      const before = recorded[place++] ?? typed;
      const candidates = first === 'recorded' ? [before, typed] : [typed, before];
      const there = candidates.find((path) => path === '' || isDataAt(path));
      if (there === undefined) missing.push({ key, typed, recorded: before });
      return there ?? before;
    });
  }
  return { paths: found, missing };
}

/** Options by dotted key, as canonical JSON. */
export function flattened(options: GivenOptions): Map<string, string> {
  const found = new Map<string, string>();
  exchanged(options, (key, value) => {
    found.set(key, canonicalJson(value));
    return value;
  });
  return found;
}

/** The options that hold paths and are given, by dotted key. */
export function pathTexts(
  options: GivenOptions,
  paths: PathOptions,
): Map<string, { kind: PathKind; text: string }> {
  const found = new Map<string, { kind: PathKind; text: string }>();
  exchanged(options, (key, value) => {
    const kind = paths.get(key);
    if (kind !== undefined && typeof value === 'string') found.set(key, { kind, text: value });
    return value;
  });
  return found;
}

/** Every option exchanged by what `change` gives for its dotted key and value; undefined leaves it out. */
function exchanged(
  options: GivenOptions,
  change: (key: string, value: Json) => Json | undefined,
  prefix = '',
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([key, value]): [string, Json][] => {
      if (value === undefined) return [];
      const plain = toJson(value);
      const now = isRecord(plain)
        ? exchanged(plain, change, `${prefix}${key}.`)
        : change(prefix + key, plain);
      return now === undefined ? [] : [[key, now]];
    }),
  );
}

const isRecord = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
