import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '@winnow/core';
import { namedDatasets } from '@winnow/data';
import { z } from 'zod';
import { isHubName } from '../hub/hub-name';

/**
 * The kinds of things that the path in an option may lead to: a dataset, by its name or as a path, or several
 * `task:data` separated by commas; the pictures of a dataset; a model; a tokenizer; a file, or several separated by
 * commas; or the folder that something is written to.
 */
export const pathKinds = [
  'dataset',
  'datasets',
  'pictures',
  'model',
  'tokenizer',
  'file',
  'files',
  'output',
] as const;
export type PathKind = (typeof pathKinds)[number];

const embedded = new Set(namedDatasets.map(({ name }) => name));

/** An option that holds paths; a leading ~/ is the home folder. Which options these are is read from the schema. */
export const pathOption = (kind: PathKind) =>
  z
    .string()
    .refine((text) => !text.includes('\0'), 'expected a path, which has no NUL character')
    .overwrite((text) => mapPaths(kind, text, homeExpanded))
    .meta({ path: kind });

/** The text of an option with each of its paths exchanged; names of embedded datasets, and of models of the Hub, are no paths. */
export function mapPaths(kind: PathKind, text: string, change: (path: string) => string): string {
  switch (kind) {
    case 'dataset':
      return embedded.has(text) ? text : change(text);
    case 'model':
      return isHubName(text) ? text : change(text);
    case 'pictures':
    case 'tokenizer':
    case 'file':
    case 'output':
      return change(text);
    case 'files':
      return eachListed(text, change);
    case 'datasets':
      return eachListed(text, (item) => {
        const [task = '', ...data] = item.split(':');
        return data.length === 0 ? item : `${task}:${mapPaths('dataset', data.join(':'), change)}`;
      });
    default:
      return kind satisfies never;
  }
}

/**
 * Lists the datasets that an option of several names: a task each, and data.
 * @param key The option, for the error.
 * @throws {UserError} when an item has no colon.
 */
export const datasetsIn = (key: string, text: string): { readonly task: string; readonly data: string }[] =>
  listed(text).map((item) => {
    const [task = '', ...data] = item.split(':');
    if (data.length === 0)
      throw new UserError(`${key}: expected task:data, like classification:emoji-category, got ${item}`);
    return { task, data: data.join(':') };
  });

/** Items as they are listed in an option, separated by commas. */
export const listed = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** All paths in the text of an option. */
export function pathsIn(kind: PathKind, text: string): string[] {
  const found: string[] = [];
  mapPaths(kind, text, (path) => {
    found.push(path);
    return path;
  });
  return found;
}

/** `~/pictures` in the home folder of whoever runs this; everything else as it is. */
export function homeExpanded(path: string): string {
  if (path !== '~' && !path.startsWith('~/')) return path;
  const { HOME: home } = process.env;
  return join(home === undefined || home === '' ? homedir() : home, path.slice(2));
}

/** The paths of an option from the root of the file system on. */
export const absolutePaths = (kind: PathKind, text: string): string =>
  mapPaths(kind, text, (path) => (path === '' ? path : resolve(path)));

const eachListed = (text: string, change: (item: string) => string): string =>
  text
    .split(',')
    .map((item) =>
      item.replace(/^(\s*)(.*?)(\s*)$/su, (_, before, path, after) => `${before}${change(path)}${after}`),
    )
    .join(',');
